import { describe, expect, it } from 'vitest';
import type { ProgramSpec } from '../../src/process/launcher.ts';
import { SystemdStarter, unitOf } from '../../src/process/systemd-starter.ts';
import { fakeTools } from '../helpers/fake-tools.ts';

const SPEC: ProgramSpec = {
  name: 'k2hdkc',
  command: '/usr/bin/k2hdkc',
  args: ['-conf', '/etc/$HOME.ini'],
  marks: ['-conf', '/etc/$HOME.ini'],
  stopSignal: 'SIGHUP',
  generation: 'g1',
};
const UNIT = 'k2hdkc-guest-k2hdkc.service';
const starter = new SystemdStarter({ user: null });

/** systemctl, which knows these properties of every unit. */
const shows = (...properties: string[]): string => `printf '%s\\n' ${properties.join(' ')}`;
const failing = (text: string): string => `echo '${text}' >&2; exit 1`;

/** The words with which a program was given to systemd. */
async function wordsToStart(spec: Partial<ProgramSpec>, by = starter): Promise<string[]> {
  const calls = await fakeTools({ systemctl: shows('ExecMainPID=77'), 'systemd-run': '' });
  await by.start({ ...SPEC, ...spec });
  return (await calls()).find(([tool]) => tool === 'systemd-run') ?? [];
}

describe('start', () => {
  it('clears the units of failed runs, starts one, and asks for its process', async () => {
    const calls = await fakeTools({ systemctl: shows('ExecMainPID=77'), 'systemd-run': '' });
    expect(await starter.start(SPEC)).toEqual({ pid: 77, ended: null });
    const [first, second, third] = await calls();
    expect(first).toEqual(['systemctl', 'reset-failed', 'k2hdkc-guest-*.service']);
    expect(second?.slice(0, 4)).toEqual([
      'systemd-run',
      `--unit=${UNIT}`,
      '--quiet',
      '--service-type=exec',
    ]);
    expect(third).toEqual(['systemctl', 'show', UNIT, '--property=ExecMainPID']);
  });

  it('hands the command on as it is: systemd must not see variables in it', async () => {
    const words = await wordsToStart({});
    expect(words.slice(words.indexOf('--'))).toEqual([
      '--',
      '/usr/bin/k2hdkc',
      '-conf',
      '/etc/$$HOME.ini',
    ]);
  });

  it('sets what stops it, and no user, order or folder that it does not need', async () => {
    const words = await wordsToStart({});
    expect(words).toContain('--property=KillSignal=SIGHUP');
    expect(words).toContain('--property=Restart=no');
    expect(words.join(' ')).not.toMatch(/User=|After=|RequiresMountsFor=|--setenv/);
  });

  it('takes from the program what it never needs, and from a user every capability', async () => {
    const ofRoot = await wordsToStart({});
    expect(ofRoot).toContain('--property=NoNewPrivileges=yes');
    expect(ofRoot).toContain('--property=SystemCallFilter=@system-service');
    expect(ofRoot.join(' ')).toMatch(/CapabilityBoundingSet=CAP_CHOWN .*CAP_SYS_RESOURCE/);
    const user = { name: 'k2hdkc', uid: 990, gid: 990 };
    const ofUser = await wordsToStart({}, new SystemdStarter({ user }));
    expect(ofUser).toContain('--property=CapabilityBoundingSet=');
  });

  it('sets the user, the order, the folder and the environment', async () => {
    const user = { name: 'k2hdkc', uid: 990, gid: 990 };
    const words = await wordsToStart(
      { needs: 'chmpx', folder: '/data/a "b"\\c', environment: { DBGMODE: 'INFO' } },
      new SystemdStarter({ user }),
    );
    expect(words).toContain('--property=User=k2hdkc');
    expect(words).toContain('--property=After=k2hdkc-guest-chmpx.service');
    expect(words).toContain(String.raw`--property=RequiresMountsFor="/data/a \"b\"\\c"`);
    expect(words).toContain('--setenv=DBGMODE=INFO');
  });

  it('says what to install when systemd finds no program', async () => {
    const text = 'Failed to find executable /usr/bin/k2hdkc: No such file or directory';
    await fakeTools({ systemctl: shows('ExecMainPID=0'), 'systemd-run': failing(text) });
    await expect(starter.start(SPEC)).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('/usr/bin/k2hdkc could not be executed') as string,
    });
  });

  it('names the unit and the reason when systemd starts nothing', async () => {
    const text = 'Failed to start transient service unit: Access denied';
    await fakeTools({ systemctl: shows('ExecMainPID=0'), 'systemd-run': failing(text) });
    await expect(starter.start(SPEC)).rejects.toMatchObject({
      retryable: true,
      message: `cannot start k2hdkc as unit ${UNIT}: ${text}; look at it with systemctl status ${UNIT}`,
    });
  });

  it('counts a program that ended at once as started', async () => {
    const text = 'Job failed. See "journalctl -xe" for details.';
    await fakeTools({ systemctl: shows('ExecMainPID=78'), 'systemd-run': failing(text) });
    expect(await starter.start(SPEC)).toEqual({ pid: 78, ended: null });
  });

  it.each([
    ['does not answer', failing('Failed to connect to bus'), 'Connection timed out'],
    ['knows no such unit', shows('ExecMainPID='), 'Access denied'],
  ])('starts nothing when systemd %s either', async (_, systemctl, text) => {
    await fakeTools({ systemctl, 'systemd-run': failing(text) });
    await expect(starter.start(SPEC)).rejects.toThrow(
      `cannot start k2hdkc as unit ${UNIT}: ${text}`,
    );
  });

  it.each([
    ['does not answer', failing('Failed to connect to bus')],
    ['has no process for it', shows('ExecMainPID=0')],
  ])('is not over when systemd %s afterwards', async (_, systemctl) => {
    await fakeTools({ systemctl, 'systemd-run': '' });
    await expect(starter.start(SPEC)).rejects.toMatchObject({
      retryable: true,
      message: `k2hdkc was started as unit ${UNIT}, but has ended at once, or systemd does not answer; look at it with systemctl status ${UNIT}`,
    });
  });

  it('does not take the process of an earlier run for its own', async () => {
    const text = `Failed to start transient service unit: Unit ${UNIT} was already loaded`;
    await fakeTools({ systemctl: shows('ExecMainPID=79'), 'systemd-run': failing(text) });
    await expect(starter.start(SPEC)).rejects.toThrow('already loaded');
  });
});

describe('find', () => {
  it('is the main process of the unit', async () => {
    const calls = await fakeTools({ systemctl: shows('MainPID=80') });
    expect(await starter.find(SPEC)).toBe(80);
    expect(await calls()).toEqual([['systemctl', 'show', unitOf('k2hdkc'), '--property=MainPID']]);
  });

  it.each([
    ['has none', shows('MainPID=0')],
    ['is not known', failing('Failed to connect to bus')],
  ])('is null when the unit %s', async (_, systemctl) => {
    await fakeTools({ systemctl });
    expect(await starter.find(SPEC)).toBeNull();
  });
});

it('knows the group of its unit from one that a user has given the name', () => {
  const unit = unitOf(SPEC.name);
  expect(starter.isOurGroup(SPEC, `/system.slice/${unit}`)).toBe(true);
  for (const group of [
    `/user.slice/user-990.slice/user@990.service/app.slice/${unit}`,
    `/system.slice/${unit}/below`,
    '/system.slice/k2hdkc-guest-agent.service',
    '/',
    '',
  ])
    expect(starter.isOurGroup(SPEC, group)).toBe(false);
});

describe('howEnded', () => {
  it.each([
    ['1', '3', { code: 3, signal: null }],
    ['1', '0', { code: 0, signal: null }],
    ['2', '9', { code: null, signal: 'SIGKILL' }],
    ['3', '11', { code: null, signal: 'SIGSEGV' }],
    ['2', '40', { code: null, signal: 'signal 40' }],
    ['0', '0', { code: null, signal: null }],
  ])('reads code %s and status %s as waitid(2) has them', async (code, status, end) => {
    // systemd answers in an order of its own.
    await fakeTools({ systemctl: shows(`ExecMainStatus=${status}`, `ExecMainCode=${code}`) });
    expect(await starter.howEnded(SPEC)).toEqual(end);
  });

  it('is not known when systemd does not answer', async () => {
    await fakeTools({ systemctl: failing('Failed to connect to bus') });
    expect(await starter.howEnded(SPEC)).toEqual({ code: null, signal: null });
  });
});

describe('lastOutput', () => {
  it('is what the journal has of this process, in one line', async () => {
    const calls = await fakeTools({ journalctl: `printf 'one\\n two \\n'` });
    expect(await starter.lastOutput(SPEC, 81)).toBe('one | two');
    expect((await calls())[0]).toContain('_PID=81');
  });

  it('is empty when there is no journal to read', async () => {
    await fakeTools({ journalctl: `echo half; ${failing('No journal files were found.')}` });
    expect(await starter.lastOutput(SPEC, 81)).toBe('');
  });
});
