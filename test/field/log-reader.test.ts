// Whoever reads the log goes away: a pager that is left, a log shipper that is restarted, journald
// that was killed. The writer must go on, lose those lines only, and say how many.
import { execFileSync, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { bundle } from '../helpers/bundle.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';

it('a named pipe whose reader goes and comes again', async () => {
  const directory = await temporaryDirectory();
  const pipe = path.join(directory, 'log');
  execFileSync('mkfifo', [pipe]);
  const program = await bundle(path.join(projectRoot, 'test/field/log-writer.child.ts'), directory);
  const openReader = () => open(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const first = await openReader();
  const out = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  const child = spawn(process.execPath, [program], { stdio: ['pipe', out.fd, 'pipe'] });
  await out.close();
  let done = '';
  child.stderr?.on('data', (chunk: Buffer) => (done += chunk.toString()));
  const say = async (line: string): Promise<void> => {
    child.stdin?.write(`${line}\n`);
    await until(`${line} was written`, () => done.includes(`${line}\n`));
  };
  const read = async (reader: Awaited<ReturnType<typeof open>>): Promise<string> => {
    const { bytesRead, buffer } = await reader.read(Buffer.alloc(4_096));
    return buffer.subarray(0, bytesRead).toString();
  };
  try {
    await say('one');
    expect(await read(first)).toBe('one\n');
    await first.close();
    await say('two');
    await say('three');
    const second = await openReader();
    await say('four');
    await say('five');
    expect(await read(second)).toBe('four\nlost 2\nfive\n');
    await second.close();
    expect(child.exitCode).toBeNull();
  } finally {
    child.kill();
  }
});
