import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { IN, IN_ALONE, Lab, NONE, OUT, OUT_ALONE } from './lab.ts';

describe('signals (docs/contracts/chmpx.md, 4)', () => {
  it('chmpx ignores SIGTERM and SIGQUIT', async () => {
    const lab = await Lab.open();
    const chmpx = await lab.startChmpx();
    chmpx.send('SIGTERM');
    chmpx.send('SIGQUIT');
    await sleep(systemClock, 3000);
    expect(chmpx.alive).toBe(true);
    expect(await lab.status()).toBe(OUT_ALONE);
  });

  it.each(['SIGHUP', 'SIGINT'] as const)(
    '%s ends a chmpx that shows Suspend with 0, and it removes its files',
    async (signal) => {
      const lab = await Lab.open();
      const { chmpx, k2hdkc } = await lab.serve();
      k2hdkc.send('SIGTERM');
      await lab.reaches(IN_ALONE);
      chmpx.send(signal);
      expect((await chmpx.end()).code).toBe(0);
      expect(lab.leftovers()).toEqual([]);
      expect(await lab.status()).toBe(NONE);
    },
  );

  it('SIGHUP before chmpx has noticed the end of its k2hdkc ends it too, at times by SIGSEGV', async () => {
    const lab = await Lab.open();
    const { chmpx, k2hdkc } = await lab.serve();
    await k2hdkc.kill();
    chmpx.send('SIGHUP');
    const { code, signal } = await chmpx.end();
    expect([0, 'SIGSEGV']).toContain(signal ?? code);
    expect(lab.leftovers()).toEqual(code === 0 ? [] : ['.chmpx', '.k2h']);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends k2hdkc with 0', async (signal) => {
    const lab = await Lab.open();
    const { k2hdkc } = await lab.serve();
    k2hdkc.send(signal);
    expect((await k2hdkc.end()).code).toBe(0);
    await lab.reaches(IN_ALONE);
  });

  it('k2hdkc that has lost its chmpx lives on, and ends on SIGTERM', async () => {
    const lab = await Lab.open();
    const { chmpx, k2hdkc } = await lab.serve();
    await chmpx.kill();
    await sleep(systemClock, 2000);
    expect(k2hdkc.alive).toBe(true);
    k2hdkc.send('SIGTERM');
    expect((await k2hdkc.end()).code).toBe(0);
  });

  it('k2hdkc -no_giveup_rejoin that has lost its chmpx ignores SIGTERM, SIGINT and SIGHUP', async () => {
    const lab = await Lab.open();
    const chmpx = await lab.startChmpx();
    const k2hdkc = lab.start('k2hdkc', ['-conf', lab.file, '-no_giveup_rejoin']);
    await lab.reaches(IN);
    await chmpx.kill();
    await sleep(systemClock, 3000); // for it to notice
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) k2hdkc.send(signal);
    await sleep(systemClock, 4000);
    expect(k2hdkc.alive).toBe(true);
  });
});

describe('crashes (docs/contracts/chmpx.md, 2.2, 5.1 and 7.2)', () => {
  it('a killed k2hdkc leaves its node in service and suspended, and a new one cures that', async () => {
    const lab = await Lab.open();
    const { k2hdkc } = await lab.serve();
    await k2hdkc.kill();
    await lab.reaches(IN_ALONE);
    lab.start('k2hdkc');
    await lab.reaches(IN);
  });

  it('a killed chmpx leaves its files, but chmpxstatus is not fooled', async () => {
    const lab = await Lab.open();
    const { chmpx } = await lab.serve();
    await chmpx.kill();
    expect(await lab.status()).toBe(NONE);
    expect(lab.leftovers()).toEqual(['.chmpx', '.k2h']);
  });

  it('every start after a crash adds a .bup file, and nothing removes one', async () => {
    const lab = await Lab.open();
    for (let crash = 0; crash < 3; crash += 1) await (await lab.startChmpx()).kill();
    await lab.startChmpx();
    const bups = ['.chmpx.bup', '.chmpx.bup.0', '.chmpx.bup.1'];
    expect(lab.leftovers()).toEqual(['.chmpx', ...bups, '.k2h']);
  });

  it('both killed, both started again: in service without any cleaning', async () => {
    const lab = await Lab.open();
    const { chmpx, k2hdkc } = await lab.serve();
    await chmpx.kill();
    await k2hdkc.kill();
    await lab.serve();
    expect(await lab.status()).toBe(IN);
  });

  it('a chmpx started again under a living k2hdkc is in service later, or after SERVICEIN', async () => {
    const lab = await Lab.open();
    const { chmpx, k2hdkc } = await lab.serve();
    await chmpx.kill();
    await lab.startChmpx();
    const byItself = await lab.reaches(IN, 10).then(
      () => true,
      () => false,
    );
    if (!byItself) {
      expect(await lab.status()).toBe(OUT);
      expect(await lab.ask('SERVICEIN')).toMatch(/^SUCCEED/);
      await lab.reaches(IN);
    }
    expect(k2hdkc.alive).toBe(true);
  });
});
