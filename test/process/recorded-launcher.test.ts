import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { identify, isAlive, type ProcessIdentity } from '../../src/process/identity.ts';
import type { ProgramSpec } from '../../src/process/launcher.ts';
import { bundle } from '../helpers/bundle.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import {
  adopted,
  BOOT_ID,
  launched,
  launcherIn,
  programFile,
  script,
  SLEEPER,
  specOf,
} from './programs.ts';

/** Has another process launch a program, and kills that process. */
async function launchedByOneKilled(directory: string, spec: ProgramSpec): Promise<ProcessIdentity> {
  const program = await bundle('test/process/launch.child.ts', await temporaryDirectory());
  const agent = spawn(process.execPath, [program, directory, JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void agent.kill('SIGKILL'));
  const [line] = (await once(agent.stdout, 'data')) as [Buffer];
  agent.kill('SIGKILL');
  await once(agent, 'exit');
  return JSON.parse(line.toString()) as ProcessIdentity;
}

describe('a program whose launcher was killed with SIGKILL', () => {
  const spec = script('talker', 'echo one; kill -STOP $$; echo two; kill -STOP $$');

  it('lives on, is adopted with its generation, and writes to the same file', async () => {
    const directory = await temporaryDirectory();
    const identity = await launchedByOneKilled(directory, spec);
    expect(isAlive(identity)).toBe(true);

    const program = await adopted(launcherIn(directory), { ...spec, generation: 'g2' });
    expect(program).toMatchObject({ identity, adopted: true });
    expect(program.spec.generation).toBe('g1');
    await until('its first words', async () => (await program.lastOutput()) === 'one');
    expect(program.signal('SIGCONT')).toBe(true);
    await until('its next words', async () => (await program.lastOutput()) === 'one | two');
  });

  it('is seen to end', async () => {
    const directory = await temporaryDirectory();
    const identity = await launchedByOneKilled(directory, spec);
    const program = await adopted(launcherIn(directory), spec);
    process.kill(identity.pid, 'SIGKILL');
    expect(await program.ended).toEqual({ code: null, signal: null });
    expect(program.signal('SIGTERM')).toBe(false);
    expect(await launcherIn(directory).adopt(spec)).toBeNull();
  });
});

describe('a program without a record', () => {
  it('is adopted by its command line, so that no second one is started', async () => {
    const directory = await temporaryDirectory();
    const spec = await programFile(directory, '-conf', '/etc/x.ini', '');
    const { identity } = await launched(launcherIn(directory), spec);
    await rm(path.join(directory, 'program.json'));

    const next = { ...spec, generation: 'g2' };
    expect(await adopted(launcherIn(directory), next)).toMatchObject({ identity, spec: next });
    // Found through PATH the command has no directory.
    vi.stubEnv('PATH', `${directory}:/usr/bin:/bin`);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await adopted(launcherIn(directory), { ...next, command: 'program' })).toMatchObject({
      identity,
    });
  });

  it.each([
    ['another configuration', { marks: ['-conf', '/etc/y.ini'] }],
    ['its marks apart', { marks: ['-conf', '-d'] }],
    ['another name', { command: '/usr/bin/program2' }],
  ])('is not adopted with %s', async (_, difference) => {
    const directory = await temporaryDirectory();
    const spec = await programFile(directory, '-conf', '/etc/x.ini', '-d');
    await launched(launcherIn(directory), spec);
    await rm(path.join(directory, 'program.json'));
    expect(await launcherIn(directory).adopt({ ...spec, ...difference })).toBeNull();
  });
});

describe('a record', () => {
  const recordOf = (identity: ProcessIdentity): string =>
    JSON.stringify({ identity, generation: 'g1' });

  it('of a PID that another process has now is not adopted', async () => {
    const directory = await temporaryDirectory();
    const other = await launched(launcherIn(await temporaryDirectory()), SLEEPER);
    const { pid, startTicks } = other.identity;
    const file = path.join(directory, 'chmpx.json');
    const spec = specOf({ name: 'chmpx', command: '/nonexistent/chmpx', args: [] });
    await writeFile(file, recordOf(other.identity));
    expect(await launcherIn(directory).adopt(spec)).toMatchObject({ identity: { pid } });
    const earlier = String(Number(startTicks) - 1);
    await writeFile(file, recordOf({ ...other.identity, startTicks: earlier }));
    expect(await launcherIn(directory).adopt(spec)).toBeNull();
  });

  it('of an earlier boot is not adopted', async () => {
    const directory = await temporaryDirectory();
    const own = identify(process.pid, 'the boot before');
    if (!own) throw new Error('this process is not there');
    const spec = specOf({ name: 'chmpx', command: '/nonexistent/chmpx', args: [] });
    await writeFile(path.join(directory, 'chmpx.json'), recordOf(own));
    expect(await launcherIn(directory).adopt(spec)).toBeNull();
    expect(await launcherIn(directory, 'the boot before').adopt(spec)).not.toBeNull();
    expect(own.bootId).not.toBe(BOOT_ID);
  });

  it.each(['', '{', 'null', '{}', '[]', '{"identity":7}'])(
    'that cannot be read counts as none: %j',
    async (text) => {
      const directory = await temporaryDirectory();
      const spec = await programFile(directory, 'x');
      const { identity } = await launched(launcherIn(directory), spec);
      await writeFile(path.join(directory, 'program.json'), text);
      expect(await adopted(launcherIn(directory), spec)).toMatchObject({ identity });
    },
  );

  it('is one per name', async () => {
    const directory = await temporaryDirectory();
    const launcher = launcherIn(directory);
    const first = await launched(launcher, script('one', 'exec sleep 1001'));
    const second = await launched(launcher, script('two', 'exec sleep 1002'));
    expect(await adopted(launcher, first.spec)).toMatchObject({ identity: first.identity });
    expect(await adopted(launcher, second.spec)).toMatchObject({ identity: second.identity });
    expect(JSON.parse(await readFile(path.join(directory, 'one.json'), 'utf8'))).toEqual({
      identity: first.identity,
      generation: 'g1',
    });
  });
});
