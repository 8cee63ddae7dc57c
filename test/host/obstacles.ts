import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** What can have the name of a small file and is none: reading it to its end never ends, or takes all memory. */
export const OBSTACLES: [what: string, make: (file: string) => Promise<unknown>][] = [
  ['a pipe', (file) => Promise.resolve(execFileSync('mkfifo', [file]))],
  ['a device', (file) => symlink('/dev/zero', file)],
  ['a folder', (file) => mkdir(file)],
  [
    'a socket',
    async (file) => {
      const server = createServer().listen(file);
      onTestFinished(() => void server.close());
      await once(server, 'listening');
    },
  ],
  [
    '3 GiB',
    async (file) => {
      await writeFile(file, '');
      await truncate(file, 3 * 1024 ** 3);
    },
  ],
];
