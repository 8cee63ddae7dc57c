import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { DOWN, IN, IN_ALONE } from './lab.ts';
import { RingLab } from './ring-lab.ts';

describe('crashes (docs/contracts/ring.md, 4)', () => {
  it('a crash is seen by servers and slaves, and the server drops out', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(3);
    const victim = lab.server(2);
    await victim.kill();
    for (const member of [lab.server(1), lab.server(3), lab.slave]) await member.sees(victim, DOWN);
    expect(await lab.server(1).status()).toBe(IN);
  });

  it('one that is started again joins by itself', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    await lab.server(2).kill();
    await lab.server(1).sees(lab.server(2), DOWN);
    await lab.join(lab.server(2));
    await lab.server(1).sees(lab.server(2), IN);
  });

  it('the crash of k2hdkc alone is seen as Suspend, and its restart needs no command', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    const victim = lab.server(2);
    victim.k2hdkc?.send('SIGKILL');
    await lab.server(1).sees(victim, IN_ALONE);
    await lab.slave.sees(victim, IN_ALONE);
    await victim.startK2hdkc();
    await victim.reaches(IN, 8).catch(async () => {
      await victim.kill();
      await lab.join(victim);
    });
    await lab.server(1).sees(victim, IN);
  });

  it('a crash renumbers the servers: most keys are not found until it is back', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(3);
    expect(await lab.write('k', 300)).toBe(300);
    await lab.server(3).kill();
    for (const member of [lab.server(1), lab.server(2), lab.slave]) {
      await member.sees(lab.server(3), DOWN);
    }
    await sleep(systemClock, 300);
    expect(await lab.read('k', 300)).toEqual({ found: 140, missing: 160, failed: 0 });
    await lab.join(lab.server(3));
    await lab.slave.sees(lab.server(3), IN);
    expect(await lab.read('k', 300)).toEqual({ found: 300, missing: 0, failed: 0 });
  });

  it('of what is written meanwhile some is not found when it is back', async () => {
    const lab = await RingLab.open({ count: 3 });
    await lab.form(3);
    await lab.server(3).kill();
    for (const member of [lab.server(1), lab.server(2), lab.slave]) {
      await member.sees(lab.server(3), DOWN);
    }
    await sleep(systemClock, 300);
    expect(await lab.write('w', 100)).toBe(100);
    expect(await lab.read('w', 100)).toEqual({ found: 100, missing: 0, failed: 0 });
    await lab.join(lab.server(3));
    await lab.slave.sees(lab.server(3), IN);
    expect(await lab.read('w', 100)).toEqual({ found: 50, missing: 50, failed: 0 });
  });

  it('a chmpx restarted under its k2hdkc comes back or sticks; both started again come back', async () => {
    const lab = await RingLab.open({ count: 2 });
    await lab.form(2);
    const victim = lab.server(2);
    victim.chmpx?.send('SIGKILL');
    await lab.server(1).sees(victim, DOWN);
    await sleep(systemClock, 500);
    await victim.startChmpx();
    await sleep(systemClock, 8000);
    expect(await victim.status()).toMatch(
      /^\[SERVICE IN\]\[UP\]\[n\/a\]\[Nothing\]|^\[SERVICE IN\]\[UP\]\[ADD\]|^\[SERVICE OUT\]\[UP\]/,
    );
    expect(victim.k2hdkc?.alive).toBe(true);
    await victim.kill();
    await lab.server(1).sees(victim, DOWN);
    await lab.join(victim);
  });
});
