import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/base/errors.ts';
import { toolVersion } from '../../src/cluster/tools.ts';
import { findProcesses } from '../../src/process/identity.ts';
import { startBroker, type Broker } from '../peers/broker.ts';
import { playNodeStory } from '../story/node-story.ts';
import { realPrograms, standIns, type Programs } from '../story/programs.ts';
import { Stage } from '../story/stage.ts';
import { Timeline } from '../story/timeline.ts';

const HELP = `npm run demo -- [--stand-ins] [--keep]

Plays one node's whole life on a real RabbitMQ and the real Trove code.
  --stand-ins   use the stand-ins even when the real chmpx and k2hdkc are on PATH
  --keep        keep the demo's folder with all logs
`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean' },
      'stand-ins': { type: 'boolean' },
      keep: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-demo-'));
  const timeline = new Timeline(print);
  const started: { broker?: Broker; stage?: Stage } = {};
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => reject(new Error(`interrupted by ${signal}`)));
    }
  });
  let failed = true;
  try {
    const play = async (): Promise<void> => {
      const programs = await choosePrograms(directory, values['stand-ins'] === true);
      await printPrograms(programs);
      await timeline.step('a private RabbitMQ', async () => {
        started.broker = await startBroker(path.join(directory, 'broker'));
        return `listens on 127.0.0.1:${started.broker.description.port}`;
      });
      await timeline.step('Trove conductor and client, K2HR3 stand-in', async () => {
        if (!started.broker) throw new Error('no broker');
        started.stage = await Stage.open(started.broker, directory, programs);
        return `real Trove on sqlite; K2HR3 at ${started.stage.k2hr3.url}`;
      });
      if (started.stage) await playNodeStory(started.stage, timeline);
    };
    await Promise.race([play(), interrupted]);
    failed = false;
  } catch (error) {
    print(`\nThe demo stopped: ${messageOf(error)}`);
  }
  await timeline
    .step('nothing is left behind', async () => {
      await started.stage?.close();
      await started.broker?.stop();
      const left = findProcesses((argv) => argv.some((word) => word.includes(directory)));
      if (left.length > 0) throw new Error(`still running: ${left.join(', ')}`);
      return 'broker, Trove, K2HR3 and the VMs are gone';
    })
    .catch(() => undefined);
  failed ||= !timeline.ok;
  print(`\n${timeline.table()}\n`);
  if (failed || values.keep) print(`Logs are kept in ${directory}`);
  else await rm(directory, { recursive: true });
  print(failed ? 'FAILED' : "Every step was seen to happen: one node's whole life.");
  return failed ? 1 : 0;
}

async function choosePrograms(directory: string, forced: boolean): Promise<Programs> {
  if (forced) return standIns(directory);
  try {
    return await realPrograms();
  } catch {
    return standIns(directory); // they are not on PATH
  }
}

async function printPrograms({ kind, program }: Programs): Promise<void> {
  if (kind === 'stand-ins') {
    print('chmpx and k2hdkc: stand-ins (test/simulators/antpickax)');
    return;
  }
  for (const name of ['chmpx', 'k2hdkc'] as const) {
    const command = program(name);
    const { version, commit } = await toolVersion({ command, timeoutMs: 5_000 });
    print(`${name}: real, version ${version} (${commit}), ${command}`);
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`demo: ${messageOf(error)}\n`);
    process.exit(1);
  },
);
