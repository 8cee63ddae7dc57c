import { expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { ControlPorts } from '../../src/ring/control/control-ports.ts';
import { listens } from '../../src/ring/neighbours.ts';
import { parseRingStatus, type RingStatus } from '../../src/ring/status.ts';
import { Refusals } from '../../src/ring/watch/refusals.ts';
import { RingLab } from '../conformance/ring-lab.ts';
import { until } from '../helpers/until.ts';

const NOBODY = { name: '127.0.0.1', port: 0, cuk: 'dummy', seed: 'dummy' };

it.each([
  ['one of its servers', 1],
  ['all of its servers', 2],
])(
  'a slave sees that it was refused by %s, and is let in when it tries again',
  async (_, count) => {
    const lab = await RingLab.open({ count: 2 });
    const { slave, servers } = lab;
    lab.publish(servers, servers, { ...NOBODY, ctlport: slave.ctlport });
    for (const member of servers) await lab.join(member);
    lab.publish([slave, ...servers.slice(count)], servers);
    const control = new ControlPorts({ ownHost: slave.host.address, clock: systemClock });
    const refusals = new Refusals({
      listens: (server) => listens(server, systemClock),
      viewOf: (server, limitMs) => control.viewOf(server, limitMs),
      role: () => new Set(servers.map(({ cuk }) => cuk)),
      clock: systemClock,
    });
    const look = async (): Promise<RingStatus> => {
      const { text } = await slave.host.run('chmpxstatus', ['-conf', slave.ini]);
      const ring = parseRingStatus(text);
      await refusals.look(ring);
      return ring;
    };
    await sleep(systemClock, 500); // the servers read their ini
    await slave.startChmpx();
    await until('it should try again', async () => {
      expect(refusals.hasLetIn((await look()).chmpxPid)).toBe(false);
      return refusals.giveIn;
    });
    const refusedBy = servers.slice(0, count).map(({ name }) => name);
    expect(refusals.findings[0]?.text).toContain(`${refusedBy.join(', ')} serve in the ring`);
    refusals.gaveIn();
    slave.chmpx?.send('SIGHUP');
    await slave.chmpx?.end();
    lab.publish(servers, servers);
    await sleep(systemClock, 500);
    await slave.startChmpx();
    await until('it was let in', async () => refusals.hasLetIn((await look()).chmpxPid));
    expect(refusals.findings).toEqual([]);
  },
);
