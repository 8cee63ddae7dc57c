import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { DOWN, IN } from './lab.ts';
import { RingLab } from './ring-lab.ts';

/** What the role of a cluster without slaves lists. */
const NOBODY = { name: '127.0.0.1', port: 0, cuk: 'dummy', seed: 'dummy' };
/** In service by the word of another server, and not connected. */
const REFUSED = '[SERVICE IN][DOWN][n/a][Nothing][NoSuspend]';

/** Servers in service that do not list the slave, which lists them. */
async function strangers(count: number): Promise<RingLab> {
  const lab = await RingLab.open({ count });
  lab.publish(lab.servers, lab.servers, { ...NOBODY, ctlport: lab.slave.ctlport });
  for (const member of lab.servers) await lab.join(member);
  lab.publish([lab.slave], lab.servers);
  return lab;
}

async function restart(lab: RingLab): Promise<void> {
  lab.slave.chmpx?.send('SIGHUP');
  await lab.slave.chmpx?.end();
  await lab.slave.startChmpx();
}

describe('a slave that servers do not list (docs/contracts/ring.md, 2.5)', () => {
  it('the control port answers a host that no ini names', async () => {
    const lab = await strangers(1);
    const { ctlport, host } = lab.server(1);
    const answer = await lab.slave.host.ask(ctlport, 'ALLSTATUS', host.address);
    expect(answer).toContain(`= 0x21(SAFE -> ${IN})`);
  });

  it('is refused by a server, takes it for down, and does not try again before it is restarted', async () => {
    const lab = await strangers(2);
    const [first, second] = [lab.server(1), lab.server(2)];
    lab.publish([first], lab.servers);
    await sleep(systemClock, 500);
    await lab.slave.startChmpx();
    await lab.slave.sees(first, IN);
    await lab.slave.sees(second, REFUSED);
    const slaves = (await second.view()).slaves.map(({ cuk }) => cuk);
    expect(slaves).not.toContain(lab.slave.cuk);
    lab.publish([second], lab.servers);
    await sleep(systemClock, 5_000);
    expect(await lab.slave.statusOf(second)).toBe(REFUSED);
    await restart(lab);
    for (const member of lab.servers) await lab.slave.sees(member, IN);
  });

  it('is refused by all, and finds by itself those that list it later', async () => {
    const lab = await strangers(2);
    await lab.slave.startChmpx();
    for (const member of lab.servers) await lab.slave.sees(member, DOWN);
    lab.publish(lab.servers, lab.servers);
    for (const member of lab.servers) await lab.slave.sees(member, IN);
  });

  it('no command of the control port shows it before it is connected', async () => {
    const lab = await RingLab.open({ count: 1 });
    const server = lab.server(1);
    lab.publish([server, lab.slave], [server]);
    await lab.join(server);
    for (const command of ['ALLSTATUS', 'SELFSTATUS', 'DUMP']) {
      expect(await server.ask(command)).not.toContain(lab.slave.cuk);
    }
    await lab.slave.startChmpx();
    await lab.slave.sees(server, IN);
    expect((await server.view()).slaves.map(({ cuk }) => cuk)).toContain(lab.slave.cuk);
  });

  it('of two entries of its name the later one counts: with the other CUK chmpx does not start', async () => {
    const lab = await RingLab.open({ count: 1 });
    const server = lab.server(1);
    lab.publish([server], [server]);
    await lab.join(server);
    const own = lab.iniOf(lab.slave, [server]);
    const entry = /\[SLVNODE\][^[]*/.exec(own)?.[0] ?? '';
    const older = entry.replace(lab.slave.cuk, 'cuk-older');
    lab.slave.host.write('node.ini', own.replace(entry, `${entry}\n${older}`));
    const chmpx = await lab.slave.host.start('chmpx', ['-conf', lab.slave.ini, '-d', 'err']);
    expect((await chmpx.end()).code).toBe(1);
    lab.slave.host.write('node.ini', own.replace(entry, `${older}\n${entry}`));
    await lab.slave.startChmpx();
    await lab.slave.sees(server, IN);
  });

  it('is let in by an entry whose CUK is a choice of several', async () => {
    const lab = await strangers(1);
    const server = lab.server(1);
    const own = lab.iniOf(server, [server]);
    server.host.write('node.ini', own.replace(lab.slave.cuk, `cuk-older|${lab.slave.cuk}`));
    await sleep(systemClock, 500);
    await lab.slave.startChmpx();
    await lab.slave.sees(server, IN);
    expect((await server.view()).slaves.map(({ cuk }) => cuk)).toContain(lab.slave.cuk);
  });
});
