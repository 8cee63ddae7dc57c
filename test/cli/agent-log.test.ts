import type { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { LOG_LEVELS } from '../../src/base/log.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { openLog } from '../../src/cli/agent-log.ts';

it.each(LOG_LEVELS)('a log from %s up says how many of its lines were lost', (level) => {
  const lines: string[] = [];
  let losses = 2;
  const stream = {
    writableLength: 0,
    write: (line: string, done: (error?: Error) => void) => {
      if (losses-- > 0) {
        done(new Error('write EPIPE'));
        return;
      }
      lines.push(line);
      done();
    },
  };
  const options = { format: 'text', level, secrets: new Secrets() } as const;
  const log = openLog(stream as unknown as Writable, options);
  for (const text of ['one', 'two', 'three']) log.error(text);
  expect(lines).toEqual(['three\n', 'lines of this log were lost: nobody took them lost=2\n']);
});
