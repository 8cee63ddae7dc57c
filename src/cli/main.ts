import { startAgent } from '../app/server/server-agent.ts';
import {
  readNodeSettings,
  readSettings,
  type NodeSettings,
  type RunOptions,
} from '../app/settings.ts';
import { startSlaveAgent } from '../app/slave/slave-agent.ts';
import { readSlaveSource } from '../app/slave/slave-source.ts';
import type { World } from '../app/world.ts';
import { systemClock } from '../base/clock.ts';
import { ConfigurationError, messageOf } from '../base/errors.ts';
import { written } from '../base/line-output.ts';
import { visible } from '../base/text.ts';
import { SystemdNotify } from '../host/systemd-notify.ts';
import { Secrets } from '../base/secrets.ts';
import { openLog } from './agent-log.ts';
import { HELP, parseCommandLine, UsageError } from './command-line.ts';
import { EXIT } from './exit-codes.ts';
import { showStatus } from './show-status.ts';

declare const K2HDKC_AGENT_VERSION: string;

async function main(words: string[]): Promise<number> {
  // A reader may go at any time, as `head` does: without a listener that would end this process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const command = parseCommandLine(words);
  switch (command.name) {
    case 'help':
      process.stdout.write(HELP);
      return EXIT.ok;
    case 'version':
      process.stdout.write(`k2hdkc-agent ${K2HDKC_AGENT_VERSION}\n`);
      return EXIT.ok;
    case 'run':
      return run(command.options);
    case 'status':
      return showStatus(command.options).finally(() => written(process.stdout));
  }
}

/** Runs the agent until a signal ends it, or it fails. */
async function run(options: RunOptions): Promise<number> {
  const ending = new Promise<NodeJS.Signals>((resolve) => {
    // For ever, not once: while a tool runs, execa ends a process in which nobody listens any more.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);
  });
  const node = await readNodeSettings(options);
  const secrets = new Secrets();
  const { format, level } = node.agent.log;
  const log = openLog(process.stdout, { format, level, secrets });
  const world: World = { clock: systemClock, random: Math.random, secrets, log };
  const agent = await start(options, node, world);
  const over = new AbortController();
  void new SystemdNotify(process.env, systemClock, log).ready(over.signal);
  const signal = await Promise.race([ending, agent.failed]);
  over.abort();
  log.info({ signal }, 'told to end');
  await agent.end(signal);
  return EXIT.ok;
}

/** An agent of either kind. */
interface Started {
  /** See Agent. */
  failed: Promise<never>;
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Reads the rest of what is configured, and starts the agent that it asks for. */
async function start(options: RunOptions, node: NodeSettings, world: World): Promise<Started> {
  const about = { version: K2HDKC_AGENT_VERSION, pid: process.pid };
  if (node.agent.mode === 'slave') {
    const source = await readSlaveSource(node.agent.slave);
    world.log.info(about, 'k2hdkc-agent');
    const agent = await startSlaveAgent({
      settings: node,
      source,
      version: about.version,
      ...world,
    });
    // systemd stops with SIGTERM and restarts with SIGINT: see the unit.
    const end: Started['end'] = (signal) => (signal === 'SIGTERM' ? agent.leave() : agent.stop());
    return { failed: agent.failed, end };
  }
  const settings = await readSettings(options, process.env, node);
  world.log.info(about, 'k2hdkc-agent');
  const agent = await startAgent({ settings, version: about.version, ...world });
  return { failed: agent.failed, end: () => agent.stop() };
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof ConfigurationError) return EXIT.config;
  return EXIT.failed;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`k2hdkc-agent: ${visible(messageOf(error))}\n`);
    process.exit(exitCodeOf(error));
  },
);
