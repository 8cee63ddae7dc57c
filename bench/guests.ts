import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { projectRoot } from '../test/helpers/project-root.ts';
import { startChild } from '../test/peers/child.ts';
import { endOf } from '../test/peers/child-end.ts';
import { isRunning, killTrees, signal, type ProcessIdentity } from '../test/peers/processes.ts';
import { guestInfoConf, troveGuestagentConf } from '../test/peers/trove/guest-files.ts';
import type { Actor } from '../test/story/stage.ts';

/** Something that can be measured: how it is started, and where it consumes. */
export interface Guest {
  /** The column of the table. */
  name: string;
  /** Its Trove instance. */
  id: string;
  /** The instance's RPC key. */
  key: string;
  command: string;
  args: string[];
  environment: Record<string, string>;
  /** Gets its output. */
  directory: string;
}

/** A guest that runs. */
export interface Running {
  pid: number;
  stop(): Promise<void>;
}

/** What the caller of the Python peers' code must have on its PYTHONPATH. */
export const PYTHON_PATH = ['bench', 'test/peers/trove']
  .map((folder) => path.join(projectRoot, folder))
  .join(':');

/** This agent, on the VM of an actor. */
export function agent(name: string, { id, secrets, vm }: Actor, programs: Programs): Guest {
  const files = ['--config-dir', vm.path('conf.d'), '--config', vm.path('agent.yaml')];
  return {
    name,
    id,
    key: secrets[0] ?? '',
    command: path.join(projectRoot, 'bin/k2hdkc-agent'),
    args: ['run', ...files, '--log-level', 'info'],
    environment: { ...programs.environment, PATH: `${programs.folder}:${PATH}` },
    directory: vm.path('.'),
  };
}

/** What an agent finds on PATH. */
export interface Programs {
  folder: string;
  environment: Record<string, string>;
}

/** Where node is, and the rest. */
export const PATH = `${path.dirname(process.execPath)}:/usr/bin:/bin`;

/** The real Python guest with a minimal manager; encrypted as the agent is. */
export async function pythonGuest(directory: string, transportUrl: string): Promise<Guest> {
  const identity = { id: randomUUID(), key: randomBytes(16).toString('hex') };
  const folder = path.join(directory, 'conf.d');
  await mkdir(folder, { recursive: true });
  const settings = { transportUrl, controlExchange: 'trove', mountPoint: directory };
  await writeFile(path.join(folder, 'guest_info.conf'), guestInfoConf(identity));
  await writeFile(path.join(folder, 'trove-guestagent.conf'), troveGuestagentConf(settings));
  return {
    name: 'Python guest',
    ...identity,
    command: '/usr/bin/python3',
    args: ['-m', 'trove_bench.guest', '--config-dir', folder, '--log-dir', directory],
    environment: { PYTHONPATH: PYTHON_PATH, PATH },
    directory,
  };
}

/** The least that answers: amqplib, not encrypted. */
export function echo(directory: string, transportUrl: string): Guest {
  return ofAmqplib('amqplib echo', 'bench/echo.mjs', directory, transportUrl);
}

/** The least that survives a flood: amqplib, not encrypted. */
export function bareConsumer(directory: string, transportUrl: string): Guest {
  return ofAmqplib('bare amqplib', 'bench/bare.mjs', directory, transportUrl);
}

function ofAmqplib(name: string, program: string, directory: string, transportUrl: string): Guest {
  const id = randomUUID();
  const url = transportUrl.replace('rabbit:', 'amqp:');
  const file = path.join(projectRoot, program);
  return {
    name,
    id,
    key: randomBytes(16).toString('hex'),
    command: '/usr/bin/env',
    args: ['node', file, url, `guestagent.${id}`],
    environment: { PATH },
    directory,
  };
}

/** Node.js, which does nothing. */
export function bareNode(directory: string): Guest {
  const program = 'setInterval(() => undefined, 1e9)';
  return {
    name: 'bare Node.js',
    id: '',
    key: '',
    command: '/usr/bin/env',
    args: ['node', '-e', program],
    environment: { PATH },
    directory,
  };
}

/** Starts a guest; it does not outlive this process. */
export async function start(guest: Guest, environment = {}): Promise<Running> {
  await mkdir(guest.directory, { recursive: true });
  const log = await open(path.join(guest.directory, 'bench.log'), 'a');
  try {
    const child = await startChild(guest.command, guest.args, {
      cwd: guest.directory,
      env: { LANG: 'C.UTF-8', HOME: guest.directory, ...guest.environment, ...environment },
      stdio: ['ignore', log.fd, log.fd],
    });
    const gone = endOf(child.process);
    return { pid: child.identity.pid, stop: () => stop(child.identity, gone) };
  } finally {
    await log.close();
  }
}

async function stop(identity: ProcessIdentity, gone: Promise<unknown>): Promise<void> {
  signal(identity, 'SIGTERM');
  const timer = setTimeout(() => void killTrees([identity]), 5_000);
  await gone;
  clearTimeout(timer);
  if (isRunning(identity)) await killTrees([identity]);
}
