import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { programs, resolveSubject, type Subject } from '../../conformance/subject.ts';
import { quantile } from '../../helpers/quantile.ts';
import { readKeys, writeKeys } from '../../helpers/ring-keys.ts';
import { print, runCommand } from '../command.ts';
import { MergeRing } from './merge-ring.ts';

const HELP = `npm run lab:merges -- [options]

Merges by command, again and again, without agents, and counts those that hang.
  --merges N          default 40
  --servers N         that stay; one more joins and leaves; default 3
  --replica N         default 1
  --keys N            default 2000
  --set KEY=VALUE     of [GLOBAL]; several times for several
  --chmpx WORDS       what chmpx is started by, 'chrt -b 0' say
  --k2hdkc WORDS      the same of k2hdkc
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      merges: { type: 'string', default: '40' },
      servers: { type: 'string', default: '3' },
      replica: { type: 'string', default: '1' },
      keys: { type: 'string', default: '2000' },
      set: { type: 'string', multiple: true, default: [] },
      chmpx: { type: 'string', default: '' },
      k2hdkc: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    print(HELP);
    return 0;
  }
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-merges-'));
  const real = resolveSubject({ ...process.env, K2HDKC_TEST_SUBJECT: 'real' });
  const subject = startedBy(real, path.join(directory, 'programs'), values);
  const edit = (ini: string): string => values.set.reduce(setKey, ini);
  const facts = { servers: Number(values.servers), replica: Number(values.replica), edit };
  const ring = await MergeRing.open(subject, path.join(directory, 'lab'), facts);
  try {
    await ring.form();
    const keys = Number(values.keys);
    print(`${await writeKeys(ring.tool, 'k', keys)} keys written\n`);
    const closed: number[] = [];
    let hangs = 0;
    let joins = true;
    for (let n = 1; n <= Number(values.merges); n += 1) {
      const { closedMs, mergeMs, hung, why } = await ring.change(joins);
      const s = (ms: number): string => (ms / 1000).toFixed(2);
      const who = hung.map((one) => `${one.name} chmpx ${one.chmpx} k2hdkc ${one.k2hdkc} ms/s`);
      const what = why === '' ? `closed ${s(closedMs)} s, merge ${s(mergeMs)} s` : why;
      print(`${n} ${joins ? 'join' : 'leave'}: ${what} ${who.join(', ')}\n`);
      if (why === '') {
        closed.push(closedMs);
        joins = !joins;
      } else {
        hangs += 1;
        await ring.again();
        joins = true;
      }
    }
    const { found } = await readKeys(ring.tool, 'k', keys);
    const at = (share: number): string => (quantile(closed, share) / 1000).toFixed(2);
    print(
      `${values.merges} merges, ${hangs} did not end; closed ${at(0.5)} s in the middle, ` +
        `${at(0.9)} s in nine of ten, ${at(1)} s at most; ${found} of ${keys} keys found\n`,
    );
  } finally {
    await ring.close();
    await rm(directory, { recursive: true, force: true });
  }
  return 0;
}

/** The same programs, chmpx and k2hdkc started by other words. */
function startedBy(
  real: Subject,
  directory: string,
  words: { chmpx: string; k2hdkc: string },
): Subject {
  const place = (name: string): string => path.join(directory, name);
  mkdirSync(directory);
  for (const name of programs) {
    const by = name === 'chmpx' || name === 'k2hdkc' ? words[name] : '';
    if (by === '') symlinkSync(real.program(name), place(name));
    else {
      writeFileSync(place(name), `#!/bin/sh\nexec ${by} ${real.program(name)} "$@"\n`);
      chmodSync(place(name), 0o755);
    }
  }
  return { ...real, program: place };
}

function setKey(ini: string, setting: string): string {
  const [, key = '', value = ''] = /^([A-Z]+)=(.*)$/.exec(setting) ?? [];
  const line = new RegExp(`^${key} = .*$`, 'm');
  if (key === '' || !line.test(ini)) throw new Error(`--set ${setting}: the ini has no such key`);
  return ini.replace(line, () => `${key} = ${value}`);
}

runCommand('lab:merges', main);
