import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { membersSeen, RingMembers } from '../../src/ring/ring-members.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { ring } from './rings.ts';

const ALL = ['cuk-a', 'cuk-b', 'cuk-c'];

async function bench() {
  const stateDirectory = await temporaryDirectory();
  const { log, texts } = recordingLog();
  const file = path.join(stateDirectory, 'ring.json');
  return { stateDirectory, file, texts, members: () => new RingMembers({ stateDirectory, log }) };
}

it.each<[string, string[], string[] | null]>([
  ['all that serve', ['IN', 'IN', 'IN'], ALL],
  ['one that is down and keeps its place', ['IN', 'IN DOWN', 'IN'], ALL],
  ['nobody outside', ['IN', 'OUT', 'OUT DOWN'], ['cuk-a']],
  ['nothing while it is outside itself', ['OUT', 'OUT DOWN', 'IN'], null],
  ['nothing while somebody joins', ['IN', 'IN', 'IN ADD Pending'], null],
  ['nothing while it merges', ['IN Pending', 'IN', 'IN'], null],
])('sees %s', (_, statuses, expected) => {
  const seen = membersSeen(ring('a', ...statuses));
  expect(seen && [...seen]).toEqual(expected);
});

it('keeps them for the next agent, under the registration that they were seen with', async () => {
  const { members } = await bench();
  const first = members();
  await first.look(ring('a', 'IN', 'IN', 'IN'), 'one');
  await first.look(ring('a', 'OUT', 'OUT DOWN', 'OUT DOWN'), 'one');
  const next = members();
  await next.read();
  expect([...next.of('one')]).toEqual(ALL);
  expect([...next.of('another')]).toEqual([]);
  expect([...next.of(undefined)]).toEqual([]);
});

it('knows nobody before it has served', async () => {
  const { members, texts } = await bench();
  const none = members();
  await none.read();
  expect([...none.of('one')]).toEqual([]);
  expect(texts).toEqual([]);
});

it('writes when they change, and only then', async () => {
  const { members, file } = await bench();
  const one = members();
  await one.look(ring('a', 'IN', 'IN'), 'one');
  await writeFile(file, 'untouched');
  await one.look(ring('a', 'IN', 'IN'), 'one');
  expect(await readFile(file, 'utf8')).toBe('untouched');
  await one.look(ring('a', 'IN', 'OUT DOWN'), 'one');
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ of: 'one', members: ['cuk-a'] });
});

it.each(['{', '{"of":"one"}', '{"of":1,"members":[]}', '{"of":"one","members":[1]}'])(
  'says that a record is of no use: %s',
  async (text) => {
    const { members, file, texts } = await bench();
    await writeFile(file, text);
    const one = members();
    await one.read();
    expect([...one.of('one')]).toEqual([]);
    expect(texts).toEqual(['the record of the ring is of no use']);
  },
);

it('remembers them while the disk takes nothing, says so once, and records them when it can', async () => {
  const stateDirectory = path.join(await temporaryDirectory(), 'not-there');
  const { log, texts } = recordingLog();
  const one = new RingMembers({ stateDirectory, log });
  await one.look(ring('a', 'IN', 'IN'), 'one');
  expect([...one.of('one')]).toEqual(['cuk-a', 'cuk-b']);
  await one.look(ring('a', 'IN', 'IN'), 'one');
  expect(texts).toHaveLength(1);
  expect(texts[0]).toMatch(/^the servers of the ring cannot be recorded/);
  await mkdir(stateDirectory);
  await one.look(ring('a', 'IN', 'IN'), 'one');
  const record = await readFile(path.join(stateDirectory, 'ring.json'), 'utf8');
  expect(JSON.parse(record)).toEqual({ of: 'one', members: ['cuk-a', 'cuk-b'] });
  expect(texts.slice(1)).toEqual(['the record of the ring is on disk']);
});
