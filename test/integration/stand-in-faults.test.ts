import { execFile as execFileCallback } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import { IN, Lab, NONE, OUT, OUT_ALONE } from '../conformance/lab.ts';
import { STALL } from '../simulators/antpickax/ring-node.ts';

const execFile = promisify(execFileCallback);

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
    const start = systemClock.monotonic();
    // As soon as the port is there.
    const answer = until('an answer', async () => (await lab.ask('SELFSTATUS')) || false);
    await lab.startChmpx();
    lab.start('k2hdkc', ['-conf', lab.file]);
    await lab.reaches(IN);
    expect(systemClock.monotonic() - start).toBeGreaterThan(STALL);
    expect(await answer).toContain(`= ${lab.group}\n`);
  });

  it('CHMPX_CRASH_MS kills a chmpx that is up', async () => {
    const lab = await Lab.open({ ANTPICKAX_STANDIN_CHMPX_CRASH_MS: '1500' });
    const chmpx = lab.start('chmpx');
    expect(await chmpx.end()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(chmpx.text).toContain('CONTROL PORT');
  });

  it('SEGFAULT=reload makes a bad ini crash chmpx, and its files stay', async () => {
    const lab = await Lab.open({ ANTPICKAX_STANDIN_SEGFAULT: 'reload' });
    const chmpx = await lab.startChmpx();
    lab.publish('');
    expect((await chmpx.end()).signal).toBe('SIGSEGV');
    expect(lab.leftovers()).toEqual(['.chmpx', '.k2h']);
  });

  it('CHMPX_START_MS delays the shared memory', async () => {
    const late = await Lab.open({ ANTPICKAX_STANDIN_CHMPX_START_MS: '600000' });
    late.start('chmpx');
    await until('the control port answers', async () => (await late.ask('VERSION')) !== '');
    expect(await late.status()).toBe(NONE);
    const early = await Lab.open({ ANTPICKAX_STANDIN_CHMPX_START_MS: '0' });
    early.start('chmpx');
    await early.reaches(OUT_ALONE);
    expect(await late.status()).toBe(NONE);
  });

  it('chmpxstatus, which is polled, is done before Node.js would have started', async () => {
    const lab = await Lab.open();
    await lab.serve();
    const best = { status: Infinity, node: Infinity };
    const measure = async (what: keyof typeof best, run: () => Promise<unknown>): Promise<void> => {
      const start = systemClock.monotonic();
      await run();
      best[what] = Math.min(best[what], systemClock.monotonic() - start);
    };
    for (let round = 0; round < 10; round += 1) {
      await measure('status', async () => expect(await lab.status()).toBe(IN));
      await measure('node', () => execFile(process.execPath, ['-e', '0']));
    }
    expect(best.status).toBeLessThan(best.node);
  });
});
