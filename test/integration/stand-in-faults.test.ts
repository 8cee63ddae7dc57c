import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import { IN, Lab, OUT, OUT_ALONE } from '../conformance/lab.ts';

describe('faults that a test can ask of the stand-ins', () => {
  it('STICK decides whether a node whose chmpx was restarted comes back by itself', async () => {
    for (const [stick, status] of [
      ['always', OUT],
      ['never', IN],
    ] as const) {
      const lab = await Lab.open({ ANTPICKAX_STANDIN_STICK: stick });
      const { chmpx } = await lab.serve();
      await chmpx.kill();
      await lab.startChmpx();
      await lab.reaches(status);
    }
  });

  it('by default it sticks twice, and comes back the third time', async () => {
    const lab = await Lab.open();
    let { chmpx } = await lab.serve();
    for (const status of [OUT, OUT, IN]) {
      await chmpx.kill();
      chmpx = await lab.startChmpx();
      await lab.reaches(status);
    }
  });

  it('a request to the control port during the start keeps the node out for 5 s', async () => {
    const lab = await Lab.open();
    await lab.startChmpx();
    lab.start('k2hdkc', ['-conf', lab.file]);
    const answer = lab.ask('SELFSTATUS');
    expect(await lab.reaches(IN)).toBeGreaterThan(4.5);
    expect(await answer).toContain(`= ${lab.group}\n`);
  });

  it('CHMPX_CRASH_MS kills a chmpx that is up', async () => {
    const lab = await Lab.open({ ANTPICKAX_STANDIN_CHMPX_CRASH_MS: '1500' });
    const chmpx = await lab.startChmpx();
    expect(await chmpx.end(5)).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('SEGFAULT=reload makes a bad ini crash chmpx, and its files stay', async () => {
    const lab = await Lab.open({ ANTPICKAX_STANDIN_SEGFAULT: 'reload' });
    const chmpx = await lab.startChmpx();
    lab.publish('');
    expect((await chmpx.end(5)).signal).toBe('SIGSEGV');
    expect(lab.leftovers()).toEqual(['.chmpx', '.k2h']);
  });

  it('CHMPX_START_MS delays the shared memory', async () => {
    const lab = await Lab.open({ ANTPICKAX_STANDIN_CHMPX_START_MS: '1500' });
    lab.start('chmpx');
    expect(await lab.reaches(OUT_ALONE)).toBeGreaterThan(1.4);
  });

  it('chmpxstatus, which is polled, starts in less than 10 ms', async () => {
    const lab = await Lab.open();
    await lab.serve();
    let best = Infinity;
    const measure = async (): Promise<boolean> => {
      const start = systemClock.monotonic();
      expect(await lab.status()).toBe(IN);
      best = Math.min(best, systemClock.monotonic() - start);
      return best < 10;
    };
    await until('a start within 10 ms', measure, { seconds: 20 });
  });
});
