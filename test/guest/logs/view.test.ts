import { expect, it } from 'vitest';
import type { LogSource } from '../../../src/guest/logs/log-source.ts';
import { pendingOf } from '../../../src/guest/logs/view.ts';
import { linesOf, positionAt } from './lines.ts';

const MIB = 1024 ** 2;

it('counts what is not published, and no more than 64 MiB of it', async () => {
  let given = 0;
  const endless: LogSource = {
    label: 'endless',
    async *read() {
      for (;;) {
        given += MIB;
        yield await Promise.resolve({ bytes: Buffer.alloc(0), source: MIB, after: positionAt(0) });
      }
    },
  };
  const signal = new AbortController().signal;
  expect(await pendingOf(endless, null, signal)).toBe(64 * MIB);
  expect(given).toBe(64 * MIB);
  const short: LogSource = { label: 'short', read: () => linesOf('one\n', 'two\n') };
  expect(await pendingOf(short, null, signal)).toBe(8);
});
