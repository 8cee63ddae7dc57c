import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { AgentError } from '../../src/base/errors.ts';
import { isAlive } from '../../src/process/identity.ts';
import type { RunningProgram } from '../../src/process/launcher.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { launched, launcherIn, script, SLEEPER, specOf } from './programs.ts';

/** Process group and session of a process: fields 5 and 6 of its stat. */
async function groupAndSession({ identity }: RunningProgram): Promise<number[]> {
  const text = await readFile(`/proc/${identity.pid}/stat`, 'utf8');
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(2, 4)
    .map(Number);
}

describe('launch', () => {
  it('runs the program in a process group and session of its own', async () => {
    const program = await launched(launcherIn(await temporaryDirectory()), SLEEPER);
    const { pid } = program.identity;
    expect(program).toMatchObject({ spec: SLEEPER, adopted: false });
    expect(isAlive(program.identity)).toBe(true);
    expect(await groupAndSession(program)).toEqual([pid, pid]);
  });

  it('has the output in a file that only its owner reads, after that of the runs before', async () => {
    const directory = path.join(await temporaryDirectory(), 'programs');
    const launcher = launcherIn(directory);
    await (
      await launched(launcher, script('talker', 'echo one; echo two >&2'))
    ).ended;
    const program = await launched(launcher, script('talker', 'echo three; exit 1'));
    await program.ended;
    const file = path.join(directory, 'talker.out');
    expect(await readFile(file, 'utf8')).toBe('one\ntwo\nthree\n');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await program.lastOutput()).toBe('one | two | three');
  });

  it('moves an output file aside that has grown large', async () => {
    const directory = await temporaryDirectory();
    await writeFile(path.join(directory, 'talker.out'), `y${'x'.repeat(1024 * 1024)}`);
    await (
      await launched(launcherIn(directory), script('talker', 'echo new'))
    ).ended;
    expect(await readFile(path.join(directory, 'talker.out'), 'utf8')).toBe('new\n');
    const before = await readFile(path.join(directory, 'talker.out.1'), 'utf8');
    expect(before, 'its last MiB').toBe('x'.repeat(1024 * 1024));
  });

  it.each([
    ['is not there', '/nonexistent/chmpx'],
    ['is not executable', fileURLToPath(import.meta.url)],
  ])('says what to do when the command %s', async (_, command) => {
    const directory = await temporaryDirectory();
    const spec = specOf({ name: 'chmpx', command, args: [] });
    const error: unknown = await launcherIn(directory)
      .launch(spec)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AgentError);
    expect(error).toMatchObject({
      retryable: true,
      message: `cannot start chmpx: ${command} could not be executed; install it or set programs.chmpx in agent.yaml`,
    });
    expect(await launcherIn(directory).adopt(spec)).toBeNull();
  });
});

describe('the end of a program', () => {
  it('is seen however soon it comes', async () => {
    const launcher = launcherIn(await temporaryDirectory());
    const programs = Array.from({ length: 10 }, (_, n) => script(`quick-${n}`, `exit ${n}`));
    for (const [n, spec] of programs.entries()) {
      const program = await launched(launcher, spec);
      expect(await program.ended).toEqual({ code: n, signal: null });
      expect(program.signal('SIGTERM')).toBe(false);
    }
  });

  it('says the signal', async () => {
    const program = await launched(launcherIn(await temporaryDirectory()), SLEEPER);
    expect(program.signal('SIGKILL')).toBe(true);
    expect(await program.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect(program.signal('SIGKILL')).toBe(false);
  });
});

describe('a state directory that cannot be written', () => {
  it('does not make a program that was started unknown: a second one would ruin it', async () => {
    const directory = await temporaryDirectory();
    await mkdir(path.join(directory, 'sleeper.json', 'x'), { recursive: true });
    const program = await launched(launcherIn(directory), SLEEPER);
    expect(isAlive(program.identity)).toBe(true);
  });

  it('does not keep a program from starting: its output is lost instead', async () => {
    const directory = await temporaryDirectory();
    await mkdir(path.join(directory, 'sleeper.out'));
    const program = await launched(launcherIn(directory), SLEEPER);
    expect(isAlive(program.identity)).toBe(true);
    expect(await program.lastOutput()).toBe('');
  });
});
