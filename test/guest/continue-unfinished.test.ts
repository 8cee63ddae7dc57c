import { expect, it } from 'vitest';
import { continueUnfinished } from '../../src/guest/continue-unfinished.ts';
import { Journal } from '../../src/guest/journal.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';

const body = (method: string): string => JSON.stringify({ method, args: {} });

/** An agent starts in this boot, after one in the boot `a` left these methods unfinished. */
async function restarted(boot: string, methods: readonly string[], fails: readonly string[] = []) {
  const directory = await temporaryDirectory();
  const before = await Journal.open(directory, 'a');
  for (const method of methods) await before.accept({ id: `of ${method}`, body: body(method) });
  const journal = await Journal.open(directory, boot);
  const { log, lines } = recordingLog();
  const resumed: string[] = [];
  const server = {
    resume: (text: string): Promise<void> => {
      resumed.push(text);
      const isRefused = fails.some((method) => text === body(method));
      return isRefused ? Promise.reject(new Error('refused')) : Promise.resolve();
    },
  };
  await continueUnfinished(journal, server, log);
  return { journal, lines, resumed };
}

it('runs what is unfinished, oldest first, as it came', async () => {
  const { resumed, journal } = await restarted('a', ['prepare', 'stop_db', 'restart']);
  expect(resumed).toEqual(['prepare', 'stop_db', 'restart'].map(body));
  expect(await journal.unfinished()).toHaveLength(3); // the operations finish themselves
});

it('does not stop again after a boot what a stop_db before it stopped', async () => {
  const { resumed, journal, lines } = await restarted('b', ['stop_db', 'restart']);
  expect(resumed).toEqual([body('restart')]);
  expect((await journal.unfinished()).map(({ id }) => id)).toEqual(['of restart']);
  expect(lines[0]).toMatchObject({ id: 'of stop_db', msg: 'a stop_db of an earlier boot is over' });
});

it('goes on after one that fails, and logs it', async () => {
  const { resumed, lines } = await restarted('a', ['prepare', 'restart'], ['prepare']);
  expect(resumed).toEqual(['prepare', 'restart'].map(body));
  const failure = await until('the failure', () =>
    lines.find(({ msg }) => msg === 'it cannot be continued'),
  );
  expect(failure).toMatchObject({ id: 'of prepare', err: { message: 'refused' } });
});
