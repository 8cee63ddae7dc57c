import { parseArgs } from 'node:util';
import type { RunOptions } from '../app/settings.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../base/log.ts';

/** What the person asked for. */
export type Command =
  | { name: 'help' }
  | { name: 'version' }
  | { name: 'run'; options: RunOptions }
  | { name: 'status'; options: StatusOptions };

/** What `status` is asked with. */
export interface StatusOptions extends Pick<RunOptions, 'configFile' | 'configFileNamed'> {
  /** status.json itself, for programs. */
  json: boolean;
}

/** The command line cannot be understood. */
export class UsageError extends AgentError {
  constructor(message: string) {
    super(`${message}; see k2hdkc-agent --help`);
  }
}

export const HELP = `k2hdkc-agent - the guest agent of K2HDKC DBaaS

Usage:
  k2hdkc-agent run [options]     run in the foreground, as systemd wants it
  k2hdkc-agent status [--json] [--config FILE]
                                 how the node is, and what concerns you
  k2hdkc-agent --version
  k2hdkc-agent --help

Options of run:
  --config-dir DIR    Trove's configuration directory, with guest_info.conf and
                      trove-guestagent.conf (default /etc/trove/conf.d)
  --config FILE       agent.yaml (default /etc/k2hdkc-guest-agent/agent.yaml,
                      which may be absent)
  --log-format WORD   ${LOG_FORMATS.join(', ')} (default: agent.yaml, else journal)
  --log-level WORD    ${LOG_LEVELS.join(', ')} (default: agent.yaml, else info)

SIGTERM and SIGINT end the agent and leave chmpx and k2hdkc running. A slave (mode: slave)
leaves its cluster on SIGTERM; SIGINT ends only the agent.
Exit codes: 0 ended as asked, 1 failed, 64 wrong command line, 78 wrong configuration.
Of status: 0 nothing concerns you, 2 something does, 3 no agent runs, 4 an agent runs but its
status is old or missing.
`;

const OPTIONS_OF = {
  run: ['config-dir', 'config', 'log-format', 'log-level'],
  status: ['config', 'json'],
};

/** Reads the words after the program's name. Throws UsageError. */
export function parseCommandLine(words: string[]): Command {
  const { values, positionals } = parseWords(words);
  if (values.help) return { name: 'help' };
  if (values.version) return { name: 'version' };
  const [name, ...rest] = positionals;
  if (name === undefined) throw new UsageError('what should be done? A command is missing');
  if (name !== 'run' && name !== 'status') throw new UsageError(`there is no command "${name}"`);
  if (rest.length > 0) throw new UsageError(`"${rest.join(' ')}" is too much`);
  const file = {
    configFile: values.config ?? '/etc/k2hdkc-guest-agent/agent.yaml',
    configFileNamed: values.config !== undefined,
  };
  const foreign = Object.keys(values).find((key) => !OPTIONS_OF[name].includes(key));
  if (foreign !== undefined) throw new UsageError(`${name} has no option --${foreign}`);
  if (name === 'status') return { name, options: { ...file, json: values.json ?? false } };
  return {
    name,
    options: {
      ...file,
      configDirectory: values['config-dir'] ?? '/etc/trove/conf.d',
      logFormat: oneOf('--log-format', values['log-format'], LOG_FORMATS),
      logLevel: oneOf('--log-level', values['log-level'], LOG_LEVELS),
    },
  };
}

function parseWords(words: string[]) {
  try {
    return parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
        'config-dir': { type: 'string' },
        config: { type: 'string' },
        'log-format': { type: 'string' },
        'log-level': { type: 'string' },
      },
    });
  } catch (error) {
    const [sentence = ''] = messageOf(error).split('. ');
    throw new UsageError(sentence);
  }
}

function oneOf<T extends string>(
  option: string,
  word: string | undefined,
  words: readonly T[],
): T | undefined {
  if (word === undefined) return undefined;
  const found = words.find((known) => known === word);
  if (found !== undefined) return found;
  throw new UsageError(`${option} ${word} must be one of ${words.join(', ')}`);
}
