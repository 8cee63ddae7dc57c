import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openSentClock } from '../../../src/guest/report/sent-file.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

const wallClock = (ms: number): Clock => ({
  wall: () => ms,
  monotonic: () => 0,
  after: () => () => undefined,
});

it('goes on from the last value of the agent before, although the clock has stepped back', async () => {
  const file = path.join(await temporaryDirectory(), 'sent');
  const { log, texts } = recordingLog();
  const before = openSentClock(file, wallClock(2_000_000), log);
  const values = [before(), before()];
  const after = openSentClock(file, wallClock(1_000_000), log);
  values.push(after(), after());
  expect(values).toEqual([2_000, 2_000.000001, 2_000.000002, 2_000.000003]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(texts).toEqual([]);
});

it.each(['', 'x', 'NaN', 'Infinity', '-1'])(
  'begins with the clock when the file holds %j',
  async (text) => {
    const file = path.join(await temporaryDirectory(), 'sent');
    await writeFile(file, text);
    expect(openSentClock(file, wallClock(2_000_000), recordingLog().log)()).toBe(2_000);
  },
);

it('goes on without a file that can be written', () => {
  const next = openSentClock('/nonexistent/sent', wallClock(2_000_000), recordingLog().log);
  expect([next(), next()]).toEqual([2_000, 2_000.000001]);
});
