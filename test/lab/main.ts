import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/base/errors.ts';
import { until } from '../helpers/until.ts';
import { isRunning } from '../peers/processes.ts';
import { loginEnvironment } from '../peers/vm/lab-vm.ts';
import { cleanUp } from '../peers/vm/lab.ts';
import { inside } from '../peers/vm/namespaces.ts';
import { readRecord } from '../peers/vm/record.ts';
import { ask, type Request } from './control.ts';
import { controlSocket, DEFAULT_DIRECTORY, isLabDirectory } from './directory.ts';
import { keepLab, type KeeperOptions } from './keeper.ts';
import { choosePrograms } from './programs.ts';
import { startKeeper } from './up.ts';

const HELP = `npm run lab -- [--directory DIR] COMMAND

A K2HDKC cluster on simulated VMs: each has its own network, processes and disk.
  up N [--stand-ins] [--bare]   N nodes, healthy; a running lab grows to N nodes
                                --stand-ins  even when the real programs are on PATH
                                --bare       VMs only, without control plane and agents
  list                          the VMs, what chmpx says and what Trove says
  exec NODE COMMAND…            runs a command in a VM, as root
  partition NODE [heal]         cuts a VM off without a sign, or connects it again
  reboot NODE                   kills everything in it and boots it again
  down                          ends everything and removes it

Logs: DIR/NODE/disk/var/log/k2hdkc-agent.log; DIR is ${DEFAULT_DIRECTORY} by default.
`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(words: string[]): Promise<number> {
  let directory = DEFAULT_DIRECTORY;
  if (words[0] === '--directory') {
    directory = path.resolve(words[1] ?? '');
    words = words.slice(2);
  }
  const [command, ...rest] = words;
  switch (command) {
    case 'up':
      return up(directory, rest);
    case 'list':
      return request(directory, { command });
    case 'exec':
      return exec(directory, rest);
    case 'partition': {
      const [node, heal] = rest;
      if (heal !== undefined && heal !== 'heal') return misunderstood();
      return request(directory, { command, node: needed(node), cut: heal === undefined });
    }
    case 'reboot':
      return request(directory, { command, node: needed(rest[0]) });
    case 'down':
      return down(directory);
    case 'keep':
      await keepLab(JSON.parse(needed(rest[0])) as KeeperOptions);
      return new Promise<never>(() => undefined); // it ends by itself
    case 'help':
    case '--help':
      process.stdout.write(HELP);
      return 0;
    case undefined:
    default:
      return misunderstood();
  }
}

async function up(directory: string, words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { 'stand-ins': { type: 'boolean' }, bare: { type: 'boolean' } },
  });
  const count = Number(needed(positionals[0]));
  if (!Number.isInteger(count) || count < 1) return misunderstood();
  const grow = (): Promise<boolean> =>
    ask(controlSocket(directory), { command: 'grow', to: count }, print);
  if (await grow()) return 0;
  const { folder, description } = choosePrograms(values['stand-ins'] === true);
  print(description);
  const bare = values.bare === true;
  const keeper = await startKeeper({ directory, programs: folder, bare }, print);
  try {
    await grow();
  } finally {
    keeper.stay(); // also when a node is not well: somebody will want to look at it
  }
  print('The lab is up: npm run lab -- list; npm run lab -- down ends it.');
  return 0;
}

function exec(directory: string, [node, ...command]: string[]): number {
  const record = readRecord(directory);
  if (!record) return noLab(directory);
  const vm = record.vms.find(({ name }) => name === needed(node));
  if (!vm?.boot) throw new Error(`${node ?? ''} is ${vm ? 'off' : 'no VM of this lab'}`);
  const [program = '', ...args] = inside(vm.boot.init.pid, command.length ? command : ['bash']);
  const env = { ...loginEnvironment(record.programs), TERM: process.env['TERM'] ?? 'dumb' };
  const { status, error } = spawnSync(program, args, { cwd: '/', env, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
}

async function down(directory: string): Promise<number> {
  const owner = readRecord(directory)?.owner;
  if (await ask(controlSocket(directory), { command: 'down' }, print)) {
    if (owner) await until('the lab is gone', () => !isRunning(owner));
  } else if (isLabDirectory(directory)) {
    await cleanUp(directory);
    await rm(directory, { recursive: true });
  } else return noLab(directory);
  print('nothing is left');
  return 0;
}

async function request(directory: string, asked: Request): Promise<number> {
  return (await ask(controlSocket(directory), asked, print)) ? 0 : noLab(directory);
}

function noLab(directory: string): number {
  process.stderr.write(`lab: there is none in ${directory}; npm run lab -- up 3 makes one\n`);
  return 1;
}

function needed(word: string | undefined): string {
  if (word === undefined) throw new Error('something is missing; see npm run lab -- help');
  return word;
}

function misunderstood(): number {
  process.stderr.write(HELP);
  return 64;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`lab: ${messageOf(error)}\n`);
    process.exit(1);
  },
);
