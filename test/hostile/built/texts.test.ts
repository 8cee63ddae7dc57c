import { open, readdir, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../helpers/until.ts';
import { Attacked } from './attacked.ts';

let attacked: Attacked;

beforeAll(async () => {
  attacked = await Attacked.open({
    agentYaml: 'k2hr3: { poll_interval: 0.2, changing_poll_interval: 0.2 }\n',
  });
});

afterAll(async () => {
  await attacked.close();
});

/** What a terminal obeys, or what hides what a line says. */
const HIDDEN = '\u001b[31m\u001b]0;title\u0007\u009b31m\b\u007f\u0085\u202e\u200b';
const OBEYED = /(?![\t\n])[\p{Cc}\p{Cf}]/u;
const WRITTEN_OUT = /\\(?:x1b|u001b|u\{202e\})/;
const MIB = 1024 * 1024;

/** Neither the log since then, nor `status` in either form, has anything that a terminal obeys. */
async function showsNothingHidden(length: number): Promise<string> {
  const said = (await attacked.linesSince(length)).join('\n');
  const shown = await attacked.shownStatus();
  const json = await attacked.shownStatus('--json');
  for (const text of [said, shown.text, json.text]) expect(text).not.toMatch(OBEYED);
  return said;
}

/** Writes to the standard output of a program, as that program can. */
async function writeAs(name: 'chmpx' | 'k2hdkc', text: string, times = 1): Promise<void> {
  const output = await open(`/proc/${attacked.actor.vm.program(name)?.pid}/fd/1`, 'a');
  try {
    for (let n = 0; n < times; n++) await output.write(text);
  } finally {
    await output.close();
  }
}

describe('control characters', () => {
  it.each(['a key', 'a value', 'a section'])('in %s of the role are written out', async (where) => {
    const { stage, actor } = attacked;
    const { length } = await actor.vm.log();
    const lines = {
      'a key': `[GLOBAL]\nX${HIDDEN}X = 1`,
      'a value': `[GLOBAL]\nNO = ${HIDDEN}`,
      'a section': `[X${HIDDEN}]\n[GLOBAL]`,
    };
    let before = '';
    stage.k2hr3.changeTemplate(actor.cluster, (text) => {
      before = text;
      return text.replace('[GLOBAL]', lines[where as keyof typeof lines]);
    });
    try {
      await until('it is noticed', async () => (await attacked.status()).role.problem !== null);
      await actor.vm.untilLog(/a role document changes nothing/, length);
      expect(await showsNothingHidden(length)).toMatch(WRITTEN_OUT);
    } finally {
      stage.k2hr3.changeTemplate(actor.cluster, () => before);
    }
    await until('the role is good', async () => (await attacked.status()).role.problem === null);
  });

  it('in the last lines of a program are written out', async () => {
    const { vm } = attacked.actor;
    const { length } = await vm.log();
    await writeAs('k2hdkc', `the last line ${HIDDEN}\n`);
    vm.kill('k2hdkc');
    await vm.untilLog(/the last line/, length);
    expect(await showsNothingHidden(length)).toMatch(WRITTEN_OUT);
    await vm.untilServing();
  });
});

describe('a program that writes 100 MiB', () => {
  it('keeps a mebibyte of it while it runs, and a few lines are logged when it ends', async () => {
    const { vm } = attacked.actor;
    const { length } = await vm.log();
    await writeAs('k2hdkc', 'x'.repeat(MIB), 100);
    const folder = vm.path('state/programs');
    const size = async (name: string): Promise<number> => (await stat(`${folder}/${name}`)).size;
    await until('it is moved aside', async () => (await size('k2hdkc.out')) < MIB);
    for (const name of await readdir(folder)) expect(await size(name)).toBeLessThanOrEqual(MIB);
    await writeAs('k2hdkc', `${'y'.repeat(MIB / 2)}\n`);
    vm.kill('k2hdkc');
    await vm.untilServing();
    const lines = await attacked.linesSince(length);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(20_000);
  });
});
