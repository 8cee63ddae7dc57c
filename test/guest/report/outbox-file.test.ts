import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { messageOf } from '../../../src/base/errors.ts';
import { OutboxFiles } from '../../../src/guest/report/outbox-file.ts';
import type { ConductorMessage } from '../../../src/trove/conductor-messages.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

const message = (n: number): ConductorMessage => ({
  method: 'update_backup',
  args: { backup_id: String(n) },
  context: {},
});

/** An outbox in a state directory; what it found that was of no use. */
async function bench() {
  const state = await temporaryDirectory();
  const directory = path.join(state, 'outbox');
  const load = async () => {
    const files = new OutboxFiles(state);
    const bad: string[] = [];
    const kept = await files.load(
      (name, why) => bad.push(`${name}: ${messageOf(why)}`),
      (why) => bad.push(messageOf(why)),
    );
    return { files, bad, kept };
  };
  await load();
  return { directory, refused: path.join(directory, 'refused'), load };
}

it('what is written is read by the next agent, in the same order, with its id', async () => {
  const { load } = await bench();
  const { files } = await load();
  const names = [await files.write('b/1', message(1)), await files.write('a', message(2))];
  const { kept, bad } = await load();
  expect(kept).toEqual([
    { id: 'b/1', name: names[0], message: message(1) },
    { id: 'a', name: names[1], message: message(2) },
  ]);
  expect(bad).toEqual([]);
});

it('goes on counting where the agent before it has stopped', async () => {
  const { load } = await bench();
  await (await load()).files.write('a', message(1));
  const next = await (await load()).files.write('b', message(2));
  expect(next).toBe('00000002-b.json');
});

it('what was sent is gone, also when it is gone already', async () => {
  const { load, directory } = await bench();
  const { files } = await load();
  const name = await files.write('a', message(1));
  await files.remove(name);
  await files.remove(name);
  expect(await readdir(directory)).toEqual([]);
});

it.each([
  ['00000001-a.json', '', 'Unexpected end of JSON input'],
  ['00000001-a.json', 'null', 'it is no message to the conductor'],
  ['00000001-a.json', '{}', 'it is no message to the conductor'],
  ['00000001-a.json', '{"method":"delete","args":{},"context":{}}', 'no message'],
  ['00000001-a.json', '{"method":"heartbeat","args":[],"context":{}}', 'no message'],
  ['a.json', JSON.stringify(message(1)), 'not one of its names'],
  ['1234567890123456-a.json', JSON.stringify(message(1)), 'not one of its names'],
  ['00000001-%.json', JSON.stringify(message(1)), 'URI malformed'],
])('%s with %s is put aside, and the rest is read', async (name, text, why) => {
  const { load, directory, refused } = await bench();
  await writeFile(path.join(directory, name), text);
  await writeFile(path.join(directory, '00000009-good.json'), JSON.stringify(message(9)));
  const { kept, bad } = await load();
  expect(kept.map(({ id }) => id)).toEqual(['good']);
  expect(bad).toHaveLength(1);
  expect(bad[0]).toContain(`${name}: `);
  expect(bad[0]).toContain(why);
  expect(await readFile(path.join(refused, name), 'utf8')).toBe(text);
  expect((await load()).bad, 'it is not read again').toEqual([]);
});

it('a file that is far too large is not read', async () => {
  const { load, directory } = await bench();
  const file = path.join(directory, '00000001-a.json');
  await writeFile(file, '');
  await truncate(file, 16 * 1024 ** 2 + 1);
  expect((await load()).bad).toEqual([expect.stringContaining(`has ${16 * 1024 ** 2 + 1} bytes`)]);
});

it('a folder where a message should be is put aside too', async () => {
  const { load, directory, refused } = await bench();
  await mkdir(path.join(directory, '00000001-a.json'));
  expect((await load()).bad).toHaveLength(1);
  expect(await readdir(refused)).toEqual(['00000001-a.json']);
});

it('keeps the newest twenty of what was put aside', async () => {
  const { load, refused } = await bench();
  const { files } = await load();
  for (let n = 1; n <= 22; n++) await files.putAside(await files.write(`m${n}`, message(n)));
  const names = await readdir(refused);
  expect(names).toHaveLength(20);
  expect(names.sort()[0]).toBe('00000003-m3.json');
});

it('putting aside what is not there is no failure', async () => {
  const { load } = await bench();
  const { files } = await load();
  await expect(files.putAside('00000001-gone.json')).resolves.toBeUndefined();
});
