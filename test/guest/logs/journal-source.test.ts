import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { JournalSource } from '../../../src/guest/logs/journal-source.ts';
import { fakeTools } from '../../helpers/fake-tools.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { readAll, textOf } from './lines.ts';

const UNIT = 'k2hdkc-guest-chmpx.service';
const PREFIX = '2025-11-30T23:59:59.000000Z chmpx[7]: ';

function entry(cursor: string, message: unknown, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    __CURSOR: cursor,
    __REALTIME_TIMESTAMP: '1764547199000000',
    SYSLOG_IDENTIFIER: 'chmpx',
    _PID: '7',
    MESSAGE: message,
    ...more,
  });
}

/** A journalctl that prints these lines. */
async function journal(...lines: string[]) {
  const file = path.join(await temporaryDirectory(), 'lines');
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  return fakeTools({ journalctl: `cat ${file}` });
}

it('gives each entry as a line with its time, and where to go on', async () => {
  const calls = await journal(entry('c=1', 'one'), entry('c=2', [0xe9]), '', 'noise');
  const lines = await readAll(new JournalSource(UNIT));
  expect(lines.map(({ bytes }) => bytes.toString('latin1'))).toEqual([
    `${PREFIX}one\n`,
    `${PREFIX}\xe9\n`,
  ]);
  expect(lines.map(({ source }) => source)).toEqual([PREFIX.length + 4, PREFIX.length + 2]);
  const after = lines.at(-1)?.after;
  expect(after).toEqual({ kind: 'journal', cursor: 'c=2' });
  const again = await readAll(new JournalSource(UNIT), { kind: 'journal', cursor: 'c=1' });
  expect(again.map((line) => line.after)).toEqual([after]);
  await readAll(new JournalSource(UNIT), after);
  const [first, , second] = await calls();
  expect(first).toContain(`--unit=${UNIT}`);
  expect(first?.join(' ')).not.toContain('cursor=');
  expect(second).toContain('--cursor=c=2');
});

it('joins the entries of a line that the journal has cut: a secret may be in both', async () => {
  const cut = { _STREAM_ID: 'abc', _LINE_BREAK: 'line-max' };
  await journal(
    entry('c=1', 'begin-', cut),
    entry('c=2', 'middle-', cut),
    entry('c=3', 'end', { _STREAM_ID: 'abc' }),
    entry('c=4', 'next'),
  );
  const lines = await readAll(new JournalSource(UNIT));
  expect(textOf(lines)).toBe(`${PREFIX}begin-middle-end\n${PREFIX}next\n`);
  expect(lines[0]?.after).toEqual({ kind: 'journal', cursor: 'c=3' });
});

it('leaves out a line that is too long, however many entries it came in', async () => {
  const cut = { _STREAM_ID: 'abc', _LINE_BREAK: 'line-max' };
  const part = 'x'.repeat(48 * 1024);
  const parts = Array.from({ length: 10 }, (_, n) => entry(`c=${n}`, part, cut));
  await journal(...parts, entry('c=11', 'end', { _STREAM_ID: 'abc' }), entry('c=12', 'next'));
  const text = textOf(await readAll(new JournalSource(UNIT)));
  expect(text).toMatch(/^\[k2hdkc-guest-agent: a line of 4915\d\d bytes is left out\]\n/);
  expect(text.endsWith(`${PREFIX}next\n`)).toBe(true);
});

it('says what journalctl says when it fails', async () => {
  await fakeTools({ journalctl: 'echo "No journal files" >&2; exit 1' });
  await expect(readAll(new JournalSource(UNIT))).rejects.toThrow(
    `journal:${UNIT} cannot be read: No journal files`,
  );
});

it('says that there is no journalctl', async () => {
  await expect(readAll(new JournalSource(UNIT, '/nowhere/journalctl'))).rejects.toThrow('ENOENT');
});

it('ends journalctl when nobody reads on', async () => {
  await fakeTools({ journalctl: `while true; do echo '${entry('c=1', 'x')}'; done` });
  for await (const line of new JournalSource(UNIT).read(null, new AbortController().signal)) {
    expect(line.source).toBeGreaterThan(0);
    break;
  }
  const ending = new AbortController();
  const reading = readAllUntil(new JournalSource(UNIT), ending);
  await expect(reading).rejects.toThrow('enough');
});

async function readAllUntil(source: JournalSource, ending: AbortController): Promise<void> {
  for await (const { bytes } of source.read(null, ending.signal)) {
    if (bytes.length > 0) ending.abort(new Error('enough'));
  }
}

it('loses nothing when the entry of its position is gone: journalctl begins behind it', async () => {
  await journal(entry('c=8', 'first of this boot'), entry('c=9', 'next'));
  const lines = await readAll(new JournalSource(UNIT), { kind: 'journal', cursor: 'c=2' });
  expect(textOf(lines)).toBe(`${PREFIX}first of this boot\n${PREFIX}next\n`);
});
