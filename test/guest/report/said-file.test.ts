import { readFile, rm, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { SaidFile } from '../../../src/guest/report/said-file.ts';
import type { ConductorMessage } from '../../../src/trove/conductor-messages.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

const end: ConductorMessage = { method: 'notify_end', args: { id: 1 }, context: { a: 'b' } };

async function bench() {
  const state = await temporaryDirectory();
  const file = path.join(state, 'said.json');
  const clock = new ManualClock();
  const next = () => new SaidFile(state, clock, recordingLog().log);
  return { file, clock, next };
}

it('an agent leaves to the next one what is to be said again, and how old it is', async () => {
  const { clock, next } = await bench();
  await next().write([{ message: end, agoMs: 5_000 }]);
  await clock.advance(7_000);
  expect(await next().load()).toEqual([{ message: end, agoMs: 12_000 }]);
});

it('has no file when there is nothing', async () => {
  const { file, next } = await bench();
  await next().write([{ message: end, agoMs: 0 }]);
  await next().write([]);
  await expect(readFile(file)).rejects.toThrow('ENOENT');
  expect(await next().load()).toEqual([]);
});

it.each([
  ['ten minutes and more ago', 600_001],
  ['in the future', -1],
])('what was delivered %s is left alone', async (_, agoMs) => {
  const { next } = await bench();
  await next().write([
    { message: end, agoMs },
    { message: end, agoMs: 600_000 },
  ]);
  expect(await next().load()).toEqual([{ message: end, agoMs: 600_000 }]);
});

it.each(['', '{', 'null', '[null]', '[{"at":1}]', '[{"at":"1","message":{}}]'])(
  'a file of %j is as good as none',
  async (text) => {
    const { file, next } = await bench();
    await writeFile(file, text);
    expect(await next().load()).toEqual([]);
  },
);

it('a folder in its place does not stop anything', async () => {
  const { file, next } = await bench();
  await mkdir(file);
  const said = next();
  expect(await said.load()).toEqual([]);
  await said.write([{ message: end, agoMs: 0 }]);
  await said.write([]);
  await rm(file, { recursive: true });
});
