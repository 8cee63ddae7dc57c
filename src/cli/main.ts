import { startAgent } from '../agent/agent.ts';
import { readNodeSettings, readSettings, type RunOptions } from '../agent/settings.ts';
import { startSlaveAgent } from '../agent/slave-agent.ts';
import { readSlaveSource } from '../agent/slave-source.ts';
import { systemClock } from '../base/clock.ts';
import { ConfigurationError, messageOf } from '../base/errors.ts';
import { createLogger } from '../base/log.ts';
import { Secrets } from '../base/secrets.ts';
import { HELP, parseCommandLine, UsageError } from './command-line.ts';
import { EXIT } from './exit-codes.ts';

declare const K2HDKC_AGENT_VERSION: string;

async function main(words: string[]): Promise<number> {
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
  }
}

/** Runs the agent until it is told to end. */
async function run(options: RunOptions): Promise<number> {
  const ending = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  const node = await readNodeSettings(options);
  const secrets = new Secrets();
  const { format, level } = node.agent.log;
  const write = (line: string): void => void process.stdout.write(line);
  const log = createLogger({ format, level, secrets, write });
  const world = { clock: systemClock, random: Math.random, secrets, log };
  if (node.agent.mode === 'slave') {
    const source = await readSlaveSource(node.agent.slave);
    log.info({ version: K2HDKC_AGENT_VERSION, pid: process.pid }, 'k2hdkc-agent');
    const agent = await startSlaveAgent({ settings: node, source, ...world });
    const signal = await Promise.race([ending, agent.failed]);
    log.info({ signal }, 'told to end');
    // systemd stops with SIGTERM and restarts with SIGINT: see the unit.
    await (signal === 'SIGTERM' ? agent.leave() : agent.stop());
    return EXIT.ok;
  }
  const settings = await readSettings(options, process.env, node);
  log.info({ version: K2HDKC_AGENT_VERSION, pid: process.pid }, 'k2hdkc-agent');
  const agent = await startAgent({ settings, version: K2HDKC_AGENT_VERSION, ...world });
  const signal = await Promise.race([ending, agent.failed]);
  log.info({ signal }, 'told to end');
  await agent.stop();
  return EXIT.ok;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof ConfigurationError) return EXIT.config;
  return EXIT.failed;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`k2hdkc-agent: ${messageOf(error)}\n`);
    process.exit(exitCodeOf(error));
  },
);
