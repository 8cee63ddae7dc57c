import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { KeptProgram } from '../../../src/node/programs/kept-program.ts';
import { StrayWatch } from '../../../src/node/programs/stray-watch.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { launched, launcherIn, programFile } from '../../process/programs.ts';

it('reports a second one once, with its PID and what to do, and when it is gone', async () => {
  const directory = await temporaryDirectory();
  const { log, texts } = recordingLog();
  const spec = await programFile(directory, '-conf', path.join(directory, 'k2hdkc.ini'));
  const kept = new KeptProgram({
    name: 'chmpx',
    command: spec.command,
    args: spec.args,
    marks: spec.marks,
    stopSignals: [{ signal: 'SIGKILL', waitMs: 10_000 }],
    launcher: launcherIn(path.join(directory, 'kept')),
    clock: systemClock,
    log,
    onCrash: () => undefined,
  });
  let now = 0;
  const clock = { ...systemClock, monotonic: () => now };
  const watch = new StrayWatch({ programs: [kept], clock, log });
  const look = (): string[] => {
    texts.length = 0;
    now += 10_000;
    watch.look();
    return [...texts];
  };
  expect(look()).toEqual([]);
  await kept.start('g1');
  onTestFinished(() => kept.stop());
  expect(look()).toEqual([]);
  const second = await launched(launcherIn(path.join(directory, 'other')), spec);
  const { pid } = second.identity;
  expect(look()).toEqual([
    `a second chmpx runs with our ini beside PID ${kept.running?.identity.pid}, which is kept: two of them ruin each other; end it: kill -HUP ${pid}`,
  ]);
  expect(look()).toEqual([]);
  now += 9_000;
  texts.length = 0;
  watch.look();
  await kept.stop();
  second.signal('SIGKILL');
  await second.ended;
  expect(look()).toEqual(['the other one is gone']);
});

it('reports one that runs although none should', async () => {
  const directory = await temporaryDirectory();
  const { log, texts } = recordingLog();
  const { identity } = await launched(launcherIn(directory), await programFile(directory, 'x'));
  const program = { name: 'chmpx', running: null, strays: () => [identity.pid] } as const;
  new StrayWatch({ programs: [program], clock: systemClock, log }).look();
  expect(texts).toEqual([
    `a chmpx that this agent does not keep runs with our ini; end it: kill -HUP ${identity.pid}`,
  ]);
});

it('reports five of a thousand at a look, and no more of them when all are gone', () => {
  const { log, texts } = recordingLog();
  let now = 0;
  let strays = Array.from({ length: 1_000 }, (_, n) => 100_000 + n);
  const program = { name: 'chmpx', running: null, strays: () => strays } as const;
  const clock = { ...systemClock, monotonic: () => now };
  const watch = new StrayWatch({ programs: [program], clock, log });
  watch.look();
  expect(texts).toHaveLength(5);
  now += 10_000;
  watch.look();
  expect(texts).toHaveLength(10);
  strays = [];
  now += 10_000;
  watch.look();
  expect(texts).toHaveLength(20);
});
