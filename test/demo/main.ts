import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/base/errors.ts';
import { findProcesses } from '../../src/process/identity.ts';
import { Timeline } from '../story/timeline.ts';
import { Opened } from './opened.ts';
import { play } from './play.ts';

const HELP = `npm run demo -- [--stand-ins] [--loopback] [--keep]

Plays one node's whole life and then a cluster's, on a real RabbitMQ and the real Trove code.
  --stand-ins   use the stand-ins even when the real chmpx and k2hdkc are on PATH
  --loopback    the cluster's nodes share this machine (stand-ins); without it they are simulated
                VMs wherever the machine permits that
  --keep        keep the demo's folder with all logs
`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean' },
      'stand-ins': { type: 'boolean' },
      loopback: { type: 'boolean' },
      keep: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-demo-'));
  const timeline = new Timeline(print);
  const opened = new Opened();
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => reject(new Error(`interrupted by ${signal}`)));
    }
  });
  let failed = true;
  try {
    const { 'stand-ins': standIns = false, loopback = false } = values;
    const options = { standIns, loopback, print };
    await Promise.race([play(directory, options, timeline, opened), interrupted]);
    failed = false;
  } catch (error) {
    print(`\nThe demo stopped: ${messageOf(error)}`);
  }
  await timeline
    .step('nothing is left behind', async () => {
      await opened.close();
      const left = findProcesses((argv) => argv.some((word) => word.includes(directory)));
      if (left.length > 0) throw new Error(`still running: ${left.join(', ')}`);
      return 'broker, Trove, K2HR3 and the servers are gone';
    })
    .catch(() => undefined);
  failed ||= !timeline.ok;
  print(`\n${timeline.table()}\n`);
  if (failed || values.keep) print(`Logs are kept in ${directory}`);
  else await rm(directory, { recursive: true });
  print(failed ? 'FAILED' : "Every step was seen to happen: one node's life, and a cluster's.");
  return failed ? 1 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`demo: ${messageOf(error)}\n`);
    process.exit(1);
  },
);
