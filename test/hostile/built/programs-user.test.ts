import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  inject,
  it,
  onTestFinished,
} from 'vitest';
import { controlGroup } from '../../../src/process/control-group.ts';
import { until } from '../../helpers/until.ts';
import { Broker } from '../../peers/broker.ts';
import { makeCgroups, removeCgroups } from '../../peers/nspawn/cgroups.ts';
import { SwiftPeer } from '../../peers/swift/swift-peer.ts';
import { standIns, type Programs } from '../../story/programs.ts';
import { Stage, type Actor } from '../../story/stage.ts';

/** NOBODY, who runs chmpx, k2hdkc and their tools here. */
const USER = { name: 'nobody', id: 65_534 };
/** What a chmpx that is not root's finds room for, whatever this machine's fs.mqueue.msg_max is. */
const FEW_QUEUES = 'ini: { global: { MAXMQSERVER: 2, MAXMQCLIENT: 4, MAXQPERSERVERMQ: 8 } }\n';

let directory: string;
let programs: Programs;
let stage: Stage;
let actor: Actor;
let swift: SwiftPeer;

const at = (name: string): string => path.join(directory, name);
const data = (name: string): string => path.join(actor.vm.dataDirectory, name);

/** The stand-ins where that user can read them, and a k2hlinetool that does something else first. */
async function readable(): Promise<Programs> {
  const found = await standIns(directory);
  await cp(path.dirname(found.program('chmpx')), at('programs'), { recursive: true });
  await writeFile(
    at('programs/tool'),
    '#!/bin/sh\n. ATTACK\nexec k2hlinetool "$@"\n'.replace('ATTACK', at('attack')),
  );
  await chmod(at('programs/tool'), 0o755);
  await writeFile(at('attack'), '');
  return { ...found, program: (name) => at(`programs/${name}`) };
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-programs-user-'));
  await chmod(directory, 0o755);
  programs = await readable();
  stage = await Stage.open(new Broker(inject('broker')), directory, programs);
  swift = await SwiftPeer.start();
  actor = await stage.actor('users', {
    agentYaml: `programs: { user: ${USER.name}, launcher: direct, k2hlinetool: ${at('programs/tool')} }\n${FEW_QUEUES}`,
  });
  await actor.vm.startAgent();
  await stage.prepare(actor, { clustered: true });
  await stage.trove.waitForStatus(actor.id, 'healthy');
  await stage.trove.rpc(actor.id, 'cluster_complete');
  await mkdir(at('root-only'), { mode: 0o700 });
  await writeFile(at('root-only/secret'), 'of root', { mode: 0o600 });
});

afterAll(async () => {
  await stage.close();
  await swift.stop();
  await rm(directory, { recursive: true });
});

/** Has Trove ask for a backup, during which k2hlinetool does `attack` first; how it ended, by Trove's database. */
async function backupDuring(attack: string): Promise<{ state: string; why: string }> {
  await writeFile(at('attack'), attack);
  const account = await swift.account();
  const backupId = randomUUID();
  await stage.trove.addBackup(backupId, actor.id);
  const backup_info = {
    id: backupId,
    instance_id: actor.id,
    backup_type: 'full',
    datastore: 'k2hdkc',
    datastore_version: '1.0.16',
    storage_driver: 'swift',
    swift_container: 'backups',
    swift_url: account.url,
  };
  const { length } = await actor.vm.log();
  await stage.trove.api(actor.id, 'create_backup', { backup_info }, { authToken: account.token });
  const state = await until('the backup ends', async () => {
    const row = await stage.trove.backup(backupId);
    return ['COMPLETED', 'FAILED'].includes(row.state) && row.state;
  });
  const why = state === 'COMPLETED' ? '' : await actor.vm.untilLog(/operation failed/, length);
  return { state, why };
}

async function untouched(): Promise<void> {
  expect(await readdir(at('root-only'))).toEqual(['secret']);
  expect(await readFile(at('root-only/secret'), 'utf8')).toBe('of root');
  expect(await lstat(at('root-only'))).toMatchObject({ uid: 0, mode: 0o40_700 });
  expect(await lstat(at('root-only/secret'))).toMatchObject({ uid: 0, mode: 0o100_600 });
}

const WORK = '.k2hdkc-agent-backup';

describe.runIf(process.getuid?.() === 0)('the user of the programs', () => {
  afterEach(async () => {
    for (const name of (await readdir(actor.vm.dataDirectory)).filter(
      (one) => one !== 'k2hdkc.k2h',
    ))
      await rm(data(name), { recursive: true });
  });

  it('runs k2hlinetool, and the backup is Trove’s', async () => {
    expect(await backupDuring(`id -u > ${actor.vm.dataDirectory}/who`)).toMatchObject({
      state: 'COMPLETED',
    });
    expect(await readFile(data('who'), 'utf8')).toBe(`${USER.id}\n`);
  });

  it('who swaps the work directory of a backup for a link has root write into nothing', async () => {
    const swap = `(cd ${actor.vm.dataDirectory} && mv ${WORK} moved && ln -s ${at('root-only')} ${WORK})\n`;
    const { state } = await backupDuring(swap);
    expect(state).toBe('COMPLETED');
    expect((await lstat(data(WORK))).isSymbolicLink()).toBe(true);
    expect(await readdir(data('moved'))).toEqual([]);
    await untouched();

    const { state: next, why } = await backupDuring('');
    expect(next).toBe('FAILED');
    expect(why).toContain(`${data(WORK)} is not this agent's own`);
    expect((await lstat(data(WORK))).isSymbolicLink()).toBe(true);
    await untouched();
  });

  it.each([
    ['a link', 'ln -s ROOT/secret snapshot.k2har'],
    ['a pipe', 'mkfifo snapshot.k2har'],
  ])('who has the tool make %s has it taken for nothing', async (_, script) => {
    const { state, why } = await backupDuring(
      `${script.replace('ROOT', at('root-only'))}; exit 0\n`,
    );
    expect(state).toBe('FAILED');
    expect(why).toContain('is no plain file');
    await untouched();
  });
});

/** Hangs before its script runs, so that it takes no port. */
const HANGS = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';

/** A process of that user with the words of our chmpx, until the test is over; in a control group of its own, if one can be made. */
async function impostor(
  words: string[],
): Promise<{ pid: number; group: string | null; lives: () => boolean }> {
  const groups = makeCgroups(`impostor-${randomUUID()}`);
  const enter = 'for group in $GROUPS_OF_TEST; do echo $$ >"$group/cgroup.procs"; done';
  const become = `exec setpriv --reuid=${USER.id} --regid=${USER.id} --clear-groups "$@"`;
  const child = spawn('sh', ['-c', `${enter}; ${become}`, 'sh', ...words], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, GROUPS_OF_TEST: groups.join(' ') },
  });
  onTestFinished(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    removeCgroups(groups);
  });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  await until(
    'it poses',
    async () =>
      (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(`-conf\0${actor.vm.iniFile}\0`) &&
      (await readFile(`/proc/${pid}/status`, 'utf8')).includes(`Uid:\t${USER.id}\t`),
  );
  return {
    pid,
    group: controlGroup(pid),
    lives: () => child.exitCode === null && child.signalCode === null,
  };
}

/** Both programs end while no agent runs and no record tells of them: the next agent has to look for them. */
async function looksForThem(): Promise<void> {
  const { vm } = actor;
  await vm.endAgent('SIGKILL');
  vm.kill('k2hdkc');
  vm.kill('chmpx');
  await rm(vm.path('state/programs/chmpx.json'));
  await vm.startAgent();
  await vm.untilServing();
}

describe.runIf(process.getuid?.() === 0)(
  'a process of the user of the programs that poses as chmpx',
  () => {
    it('by its name and words is not adopted, and gets no signal', async () => {
      const { pid, lives } = await impostor([
        'bash',
        '-c',
        'exec -a chmpx python3 - "$@"',
        'bash',
        '-conf',
        actor.vm.iniFile,
      ]);
      await looksForThem();
      expect(actor.vm.program('chmpx')?.pid).not.toBe(pid);
      expect(lives()).toBe(true);
    });

    it('by the very file too is not adopted outside of our control group, and is named', async (test) => {
      await writeFile(at('hangs.cjs'), HANGS);
      const { length } = await actor.vm.log();
      const { pid, group, lives } = await impostor([
        process.execPath,
        `--require=${at('hangs.cjs')}`,
        programs.program('chmpx'),
        '-conf',
        actor.vm.iniFile,
      ]);
      if (group === controlGroup('self')) {
        process.stderr.write(
          'NOT TESTED: an impostor in another control group: none can be made\n',
        );
        return test.skip();
      }
      await looksForThem();
      expect(actor.vm.program('chmpx')?.pid).not.toBe(pid);
      expect(lives()).toBe(true);
      await actor.vm.untilLog(new RegExp(`kill -HUP ${pid}\\b`), length);
    });
  },
);
