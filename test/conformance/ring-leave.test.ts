import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { DOWN, IN, IN_ALONE, OUT, OUT_ALONE } from './lab.ts';
import { RingLab } from './ring-lab.ts';

describe('leaving (docs/contracts/ring.md, 3)', () => {
  it('SERVICEOUT with the seed takes a server out, and every node sees it up and out', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(3);
    const leaver = lab.server(3);
    expect(await leaver.ask(`SERVICEOUT ${leaver.id}`)).toBe('SUCCEED\n');
    await leaver.reaches(OUT);
    for (const member of [lab.server(1), lab.server(2), lab.slave]) await member.sees(leaver, OUT);
    expect((await lab.server(1).view()).operating).toBe(false);
  });

  it('any other server can be asked to take it out', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    expect(await lab.server(1).ask(`SERVICEOUT ${lab.server(2).id}`)).toBe('SUCCEED\n');
    await lab.server(2).reaches(OUT);
  });

  it('SERVICEOUT with the CUK is refused by every server, and changes nothing', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    const { name, ctlport, cuk } = lab.server(2);
    for (const member of lab.servers) {
      const answer = await member.ask(`SERVICEOUT ${name}:${ctlport}:${cuk}`);
      expect(answer).toBe('ERROR: There is no such as server.\n');
    }
    expect(await lab.server(2).status()).toBe(IN);
  });

  it('one that has left stops cleanly: k2hdkc by TERM, then chmpx by HUP', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    const [first, leaver] = [lab.server(1), lab.server(2)];
    await leaver.ask(`SERVICEOUT ${leaver.id}`);
    await leaver.reaches(OUT);
    leaver.k2hdkc?.send('SIGTERM');
    expect((await leaver.k2hdkc?.end())?.code).toBe(0);
    await first.sees(leaver, OUT_ALONE);
    leaver.chmpx?.send('SIGHUP');
    expect((await leaver.chmpx?.end())?.code).toBe(0);
    await first.sees(leaver, DOWN);
    expect(await first.status()).toBe(IN);
  });

  it('SERVICEOUT of one that is down says that it is out already', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    await lab.server(2).kill();
    await lab.server(1).sees(lab.server(2), DOWN);
    expect(await lab.server(1).ask(`SERVICEOUT ${lab.server(2).id}`)).toBe(
      'SUCCEED: Already server has been SERVICEOUT.\n',
    );
  });

  it('SERVICEIN brings back one that has left', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    const leaver = lab.server(2);
    await leaver.ask(`SERVICEOUT ${leaver.id}`);
    await leaver.reaches(OUT);
    await sleep(systemClock, 500);
    expect(await leaver.ask('SERVICEIN')).toBe('SUCCEED\n');
    await leaver.reaches(IN);
    await lab.server(1).sees(leaver, IN);
  });

  it('the last server of a ring does not leave: an error, and DELETE Pending for good', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    await lab.server(2).ask(`SERVICEOUT ${lab.server(2).id}`);
    await lab.server(2).reaches(OUT);
    await lab.server(2).kill();
    const last = lab.server(1);
    await last.sees(lab.server(2), DOWN);
    expect(await last.ask(`SERVICEOUT ${last.id}`)).toBe(
      'ERROR: Failed to send status notice to other servers.\n',
    );
    await sleep(systemClock, 3000);
    expect(await last.status()).toBe('[SERVICE IN][UP][DELETE][Pending][NoSuspend]');
  });

  it('HUP without SERVICEOUT is seen as a crash', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    const leaver = lab.server(2);
    leaver.k2hdkc?.send('SIGTERM');
    await leaver.reaches(IN_ALONE);
    leaver.chmpx?.send('SIGHUP');
    await lab.server(1).sees(leaver, DOWN);
  });
});
