import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findProcesses } from '../../src/process/identity.ts';
import { bundle } from '../helpers/bundle.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { isRunning } from '../peers/processes.ts';
import { namespacesPermitted } from '../peers/vm/permitted.ts';
import { readRecord } from '../peers/vm/record.ts';

const reason = namespacesPermitted();
if (reason !== null) process.stderr.write(`no lab here: ${reason}\n`);

/** The lab command as a program; below dist/, where it finds the project. */
let program: string;

describe.runIf(reason === null)('the lab command', () => {
  beforeAll(async () => {
    program = await bundle('test/lab/main.ts', path.join(projectRoot, 'dist/test/lab-under-test'));
  });

  it('boots, enters, lists, cuts off, reboots, adds and removes VMs', async () => {
    const lab = await labIn();
    const up = await lab('up', '2', '--bare', '--stand-ins');
    expect(up.stdout).toMatch(/stand-ins .*\nnode1 booted\nnode2 booted\nThe lab is up/);
    expect((await lab('exec', 'node2', 'hostname')).stdout).toBe('node2.lab\n');
    expect(await lab('exec', 'node1', 'sh', '-c', 'command -v chmpx; exit 7')).toMatchObject({
      stdout: `${path.join(projectRoot, 'dist/test/antpickax/chmpx')}\n`,
      code: 7,
    });

    expect((await lab('partition', 'node1')).stdout).toBe('node1 is cut off\n');
    const before = await lab('list');
    expect(before.stdout).toMatch(/^node1 +10\.77\.0\.11 +cut +[0-9a-f]{8} +1$/m);
    expect((await lab('partition', 'node1', 'heal')).stdout).toBe('node1 is connected\n');
    expect((await lab('reboot', 'node1')).stdout).toMatch(/^node1 booted: [-0-9a-f]{36}\n$/);
    const after = await lab('list');
    expect(after.stdout).toMatch(/^node1 +10\.77\.0\.11 +up +[0-9a-f]{8} +1$/m);
    expect(column(after.stdout, 3)[0]).not.toBe(column(before.stdout, 3)[0]);
    expect(column(after.stdout, 3)[1]).toBe(column(before.stdout, 3)[1]);

    expect((await lab('up', '3')).stdout).toBe('node3 booted\n');
    expect(column((await lab('list')).stdout, 0)).toEqual(['node1', 'node2', 'node3']);
    expect(await lab('reboot', 'node9')).toMatchObject({
      stderr: 'lab: there is no VM "node9" (node1, node2, node3)\n',
      code: 1,
    });
    expect((await lab('down')).stdout).toBe('going down\nnothing is left\n');
    expect(existsSync(lab.directory)).toBe(false);
    expect(lab.processes()).toEqual([]);
    expect(await lab('list')).toMatchObject({
      stderr: `lab: there is none in ${lab.directory}; npm run lab -- up 3 makes one\n`,
      code: 1,
    });
  });

  it('leaves nothing when it is interrupted in the middle', async () => {
    const lab = await labIn();
    const up = lab.start('up', '1', '--stand-ins');
    await until('the broker starts', () => existsSync(path.join(lab.directory, 'broker')));
    up.kill('SIGINT');
    expect(await once(up, 'exit')).toEqual([130, null]);
    expect(existsSync(lab.directory)).toBe(false);
    expect(lab.processes()).toEqual([]);
  });

  it('leaves nothing when it is killed in the middle', async () => {
    const lab = await labIn();
    const up = lab.start('up', '1', '--stand-ins');
    await until('the broker starts', () => existsSync(path.join(lab.directory, 'broker')));
    up.kill('SIGKILL');
    // The keeper removes the directory, and ends.
    await until('all is gone', () => !existsSync(lab.directory) && lab.processes().length === 0);
  });

  it('cleans up after a keeper that was killed', async () => {
    const lab = await labIn();
    await lab('up', '1', '--bare', '--stand-ins');
    const record = readRecord(lab.directory);
    const boot = record?.vms[0]?.boot;
    if (!boot) throw new Error('no VM on record');
    process.kill(record.owner.pid, 'SIGKILL');
    await until('the VM is off', () => !isRunning(boot.init) && !isRunning(record.hub));
    expect((await lab('list')).stderr).toMatch(/there is none/);
    expect((await lab('down')).stdout).toBe('nothing is left\n');
    expect(existsSync(lab.directory)).toBe(false);
  });

  it('touches no directory that is not a lab', async () => {
    const lab = await labIn();
    await mkdir(lab.directory);
    await writeFile(path.join(lab.directory, 'precious'), '');
    const refused = {
      stderr: `lab: ${lab.directory} is no lab: remove it, or name another --directory\n`,
    };
    expect(await lab('up', '1', '--stand-ins')).toMatchObject(refused);
    expect((await lab('down')).stderr).toMatch(/there is none/);
    expect(existsSync(path.join(lab.directory, 'precious'))).toBe(true);
  });
});

interface Ended {
  stdout: string;
  stderr: string;
  code: number | null;
}

/** The command with a directory of its own, which is taken down when the test is over. */
async function labIn() {
  const directory = path.join(await temporaryDirectory(), 'lab');
  const words = (rest: string[]): string[] => [program, '--directory', directory, ...rest];
  const lab = (...rest: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, words(rest), (_, stdout, stderr) =>
        resolve({ stdout, stderr, code: child.exitCode }),
      );
    });
  onTestFinished(async () => {
    await lab('down');
  });
  const start = (...rest: string[]): ChildProcess =>
    spawn(process.execPath, words(rest), { stdio: 'ignore' });
  const processes = (): number[] =>
    findProcesses((argv) => argv.some((word) => word.includes(directory)));
  return Object.assign(lab, { directory, start, processes });
}

/** A column of the table, without its header. */
function column(table: string, index: number): (string | undefined)[] {
  const rows = table.trimEnd().split('\n').slice(1);
  return rows.map((row) => row.split(/ {2,}/)[index]);
}
