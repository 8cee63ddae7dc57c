import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import { DOWN, IN, OUT, OUT_ALONE } from './lab.ts';
import { RingLab } from './ring-lab.ts';
import type { RingMember } from './ring-member.ts';

/** All different statuses that a node shows until it is in service. */
async function statusesUntilIn(member: RingMember): Promise<string[]> {
  const seen: string[] = [];
  await until('SERVICE IN', async () => {
    const status = await member.status();
    if (status !== seen.at(-1)) seen.push(status);
    return status === IN;
  });
  return seen;
}

describe('joining (docs/contracts/ring.md, 2)', () => {
  it('a server joins by itself: out, ADD, in service, and every node sees it', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    const [first, second] = [lab.server(1), lab.server(2)];
    await lab.write('k', 500); // with keys it takes long enough to be seen
    await second.kill();
    await first.sees(second, DOWN);
    await second.startChmpx();
    await first.sees(second, OUT_ALONE);
    await second.startK2hdkc();
    const seen = await statusesUntilIn(second).catch(() => lab.join(second).then(() => []));
    for (const status of seen.slice(0, -1)) {
      expect(status).toMatch(
        /^\[SERVICE OUT\]\[UP\]\[n\/a\]\[Nothing\]|^\[SERVICE IN\]\[UP\]\[ADD\]\[(Pending|Doing|Done)\]/,
      );
    }
    await first.sees(second, IN);
    await lab.slave.sees(second, IN);
  });

  it('servers are listed by address, on every node alike', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(3);
    for (const member of [...lab.servers, lab.slave]) {
      const { servers, operating } = await member.view();
      expect(servers).toEqual(lab.servers.map(({ cuk }) => ({ cuk, status: IN })));
      expect(operating).toBe(false);
    }
  });

  it('a server lists slaves, and the server before it as if it were one', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(3);
    const status = '[SLAVE][UP][n/a][Nothing][NoSuspend]';
    const cuks = lab.servers.map(({ cuk }) => cuk);
    for (const [index, member] of lab.servers.entries()) {
      const { slaves } = await member.view();
      expect(slaves).toContainEqual({ cuk: lab.slave.cuk, status });
      expect(slaves).toContainEqual({ cuk: cuks.at(index - 1), status });
    }
    expect((await lab.slave.view()).slaves).toEqual([]);
    expect(await lab.slave.status()).toBe(status);
  });

  it('a slave takes no SERVICEIN, and says what the servers are', async () => {
    const lab = await RingLab.open({ count: 1 });
    await lab.form(1);
    expect(await lab.slave.ask('SERVICEIN')).toBe(
      'ERROR: The command can not be executed on the slave node.\n',
    );
    expect(await lab.slave.ask('SELFSTATUS')).toMatch(/^Mode {22}= Slave$/m);
    expect(await lab.slave.ask('ALLSTATUS')).toContain(`= 0x21(SAFE -> ${IN})`);
  });

  it('a server that is new in the ini is seen out and down, and the ring goes on', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(2);
    await lab.list(lab.server(3), lab.servers.slice(0, 2));
    for (const member of lab.servers.slice(0, 2)) expect(await member.status()).toBe(IN);
    await lab.join(lab.server(3));
    for (const member of lab.servers) await member.sees(lab.server(3), IN);
  });

  it('three that start at once get in, or those that stick do when both are started again', async () => {
    const lab = await RingLab.open({ count: 3 });
    lab.publish(lab.servers, lab.servers);
    await Promise.all(lab.servers.map((member) => member.start()));
    for (const member of lab.servers) {
      const stuck = await member.reaches(IN, 8).then(
        () => false,
        () => true,
      );
      if (stuck) {
        await member.kill();
        await lab.join(member);
      }
    }
    for (const member of lab.servers) {
      for (const other of lab.servers) await member.sees(other, IN);
    }
  });

  it('two that learn of each other late see each other after a while, without a merge', async () => {
    const lab = await RingLab.open({ count: 2 });
    const [first, second] = [lab.server(1), lab.server(2)];
    lab.publish([first], [first]);
    lab.publish([second], [second]);
    await lab.join(first);
    await lab.join(second);
    const start = systemClock.monotonic();
    lab.publish(lab.servers, lab.servers);
    await first.sees(second, DOWN);
    expect(await second.ask('SERVICEIN')).toBe(
      'ERROR: Could not change status, because status is not allowed.\n',
    );
    await first.sees(second, IN);
    expect(systemClock.monotonic() - start).toBeGreaterThan(5_000); // some 13 s
    expect(await second.status()).toBe(IN);
  });

  it('one that starts before the others know it does not disturb them, and joins on the next try', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(2);
    const early = lab.server(3);
    for (const member of lab.servers) member.host.environment = {};
    lab.publish([early], lab.servers);
    await early.start();
    await until('it stays somewhere', async () => [IN, OUT, DOWN].includes(await early.status()));
    for (const member of lab.servers.slice(0, 2)) expect(await member.status()).toBe(IN);
    await early.kill();
    early.host.environment = { ANTPICKAX_STANDIN_HAZARDS: 'none' };
    lab.publish([lab.server(1), lab.server(2)], lab.servers);
    await lab.server(1).sees(early, DOWN);
    await sleep(systemClock, 500);
    await lab.join(early);
    await lab.server(1).sees(early, IN);
  });
});
