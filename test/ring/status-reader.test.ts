import { chmod, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { statusReader } from '../../src/ring/status-reader.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const SAMPLE = path.join(projectRoot, 'test/fixtures/chmpx/chmpxstatus-all.txt');
const RING = `cat '${SAMPLE}'`;
const AWAY = `echo '[ERR] Could not initialize(attach) chmpx shared memory.' >&2; exit 1`;

/** A reader with a tool that each `as` replaces by a line of shell. */
async function bench() {
  const command = path.join(await temporaryDirectory(), 'chmpxstatus');
  const { log, lines } = recordingLog();
  const reader = statusReader(command, '/etc/x.ini', null, log);
  const as = async (script: string) => {
    await rm(command, { force: true });
    await writeFile(command, `#!/bin/sh\n${script}\n`);
    await chmod(command, 0o755);
    return reader.read();
  };
  return { reader, as, reasons: () => lines.map(({ reason }) => reason) };
}

it('reads the ring, and null while chmpx does not run, without a word', async () => {
  const { reader, as, reasons } = await bench();
  expect(await as(`test "$2" = /etc/x.ini && ${RING}`)).toMatchObject({ group: 'labcluster' });
  expect(await as(AWAY)).toBeNull();
  expect([reader.problem(), reasons()]).toEqual([null, []]);
});

it('logs once per reason what the tool cannot say, and again after it could', async () => {
  const { reader, as, reasons } = await bench();
  for (const script of ['echo one', 'echo one', 'echo two', RING, 'echo two']) await as(script);
  expect(reasons()).toEqual([
    expect.stringContaining('"one"'),
    expect.stringContaining('"two"'),
    expect.stringContaining('"two"'),
  ]);
  // It can be chmpx that fails, so that nothing is wrong with the tool.
  expect(reader.problem()).toBeNull();
});

it('has a problem as long as the tool is missing, whatever chmpx does', async () => {
  const { reader, as, reasons } = await bench();
  expect(await reader.read()).toBeNull();
  expect(await reader.read()).toBeNull();
  expect(reader.problem()).toMatch(/cannot be started \(ENOENT\): install it, or set its path$/);
  expect(reasons()).toEqual([reader.problem()]);
  await as(RING);
  expect(reader.problem()).toBeNull();
});
