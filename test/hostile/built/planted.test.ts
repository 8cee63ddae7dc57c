import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../helpers/project-root.ts';
import { until } from '../../helpers/until.ts';
import { OBSTACLES } from '../../host/obstacles.ts';
import { Attacked } from './attacked.ts';

let attacked: Attacked;

beforeAll(async () => {
  attacked = await Attacked.open();
});

afterAll(async () => {
  await attacked.close();
});

const at = (name: string): string => attacked.actor.vm.path(name);

/** Starts another agent on this VM, which must end by itself: its exit code, and what it said. */
function another(prefix: string[] = []): Promise<{ code: number; lines: string[] }> {
  const agent = path.join(projectRoot, 'bin/k2hdkc-agent');
  const words = ['run', '--config-dir', at('conf.d'), '--config', at('agent.yaml')];
  const [command = agent, ...args] = [...prefix, agent, ...words];
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 120_000 }, (error, stdout, stderr) => {
      const lines = `${stdout}${stderr}`.trimEnd().split('\n');
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, lines });
    });
  });
}

/** What is planted while no agent runs; it must serve all the same, with the programs as they were. */
async function servesWith(plant: () => Promise<unknown>): Promise<string[]> {
  const { vm, id } = attacked.actor;
  await vm.endAgent('SIGKILL');
  const [, ...programs] = attacked.pids;
  await plant();
  const { length } = await vm.log();
  await vm.startAgent();
  await vm.untilLog(/AMQP session ready/, length);
  await vm.untilServing();
  expect(await attacked.answers()).toBe(true);
  await attacked.stage.trove.waitForStatus(id, 'healthy');
  expect(attacked.pids.slice(1)).toEqual(programs);
  return attacked.linesSince(length);
}

const WORDS = ['', '\0\0\0\0', 'null', '[]', '{}', '"x"', '{"a":', '7', '{"__proto__":{"a":1}}'];
const FILES = [
  'ring.json',
  'role.json',
  'leave.json',
  'backups.json',
  'status.json',
  'contexts',
  'second-tries',
  'sent',
  'journal/boot',
  'programs/chmpx.json',
];

describe('an agent starts', () => {
  it.each(FILES)('with any text in %s', async (name) => {
    for (const text of WORDS.slice(0, 4))
      await servesWith(() => writeFile(at(`state/${name}`), text));
  });

  describe.each(OBSTACLES)('with %s', (_, plant) => {
    // The test reads the records of programs itself.
    const files = FILES.filter((name) => !name.startsWith('programs/'));
    it.each(files)('in the place of %s', async (name) => {
      const file = at(`state/${name}`);
      const before = await readFile(file).catch(() => null);
      await servesWith(async () => {
        await rm(file, { force: true, recursive: true });
        await plant(file);
      });
      await rm(file, { force: true, recursive: true });
      if (before !== null) await writeFile(file, before, { mode: 0o600 });
    });
  });

  it.each(['1e16', '1e308', '-1', 'NaN', '9'.repeat(400)])(
    'with %s as the time of the last message, and Trove takes the next',
    async (text) => {
      await servesWith(() => writeFile(at('state/sent'), text));
    },
  );

  it('with files in the outbox that are no messages, which are put aside', async () => {
    const lines = await servesWith(async () => {
      await mkdir(at('state/outbox'), { recursive: true });
      for (const [n, text] of WORDS.entries())
        await writeFile(at(`state/outbox/planted-${n}`), text);
      await mkdir(at('state/outbox/planted-folder'));
    });
    expect(lines.filter((line) => line.includes('TypeError'))).toEqual([]);
  });

  it('with entries of the journal that are no requests, which are put aside once', async () => {
    const plant = async (): Promise<void> => {
      await mkdir(at('state/journal/open'), { recursive: true });
      for (const [n, text] of WORDS.entries())
        await writeFile(at(`state/journal/open/0000000${n}-planted-${n}`), text);
      await writeFile(at('state/journal/open/00000001-%E0%A4%A'), '{"method":"stop_db"}');
      await mkdir(at('state/journal/open/00000002-folder'), { recursive: true });
    };
    await servesWith(plant);
    const again = await servesWith(() => Promise.resolve());
    expect(
      again.filter((line) => /journal|continu/i.test(line) && !line.startsWith('<7>')),
    ).toEqual([]);
  });

  it.each(['sent', 'desired.json', 'ring.json', 'status.json', 'contexts'])(
    'with a link in the place of %s, and does not write through it',
    async (name) => {
      const target = at('of-root');
      const text = await readFile(at(`state/${name}`), 'utf8').catch(() => '');
      await writeFile(target, text);
      await servesWith(async () => {
        await rm(at(`state/${name}`), { force: true });
        await symlink(target, at(`state/${name}`));
      });
      expect(await readFile(target, 'utf8')).toBe(text);
      await rm(at(`state/${name}`), { force: true });
      if (name === 'desired.json') await writeFile(at(`state/${name}`), text, { mode: 0o600 });
    },
  );
});

describe('an agent ends with one line', () => {
  /** @param mend must put everything back. */
  async function endsWith(
    expected: number,
    plant: () => Promise<unknown>,
    mend: () => Promise<unknown>,
  ): Promise<string> {
    const { vm } = attacked.actor;
    await vm.endAgent('SIGKILL');
    await plant();
    const { code, lines } = await another().finally(mend);
    const loud = lines.filter((line) => /^<[0-4]>/.test(line) || !line.startsWith('<'));
    expect(loud).toHaveLength(1);
    expect(code).toBe(expected);
    await vm.startAgent();
    await until('it is back', () => attacked.answers().catch(() => false));
    return loud[0] ?? '';
  }

  it.each([
    ['mode', '{"mode":"king"}'],
    ['a number', '7'],
    ['a torn text', '{"mode":'],
  ])('when desired.json has %s that it cannot have', async (_, text) => {
    const before = await readFile(at('state/desired.json'), 'utf8');
    const line = await endsWith(
      1, // no configuration, so systemd goes on trying
      () => writeFile(at('state/desired.json'), text),
      () => writeFile(at('state/desired.json'), before),
    );
    expect(line).toContain('desired.json');
  });

  it("when the state directory is another user's", async () => {
    const line = await endsWith(
      78,
      () => chown(at('state'), 65_534, 65_534),
      () => chown(at('state'), 0, 0),
    );
    expect(line).toContain(at('state'));
  });

  it('when others can write to the state directory', async () => {
    const line = await endsWith(
      78,
      () => chmod(at('state'), 0o777),
      () => chmod(at('state'), 0o700),
    );
    expect(line).toContain(at('state'));
  });

  it.each([
    ['an alias bomb', 'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nlog: *c\n'],
    ['an alias of nothing', 'log: *nowhere\n'],
    ['two documents', '---\nlog: {}\n---\nlog: {}\n'],
    ['an infinite time', 'cluster: { start_timeout: .inf }\n'],
    ['a secret where none is', 'slave: { registration_url: "ftp://h/canary-5f0c" }\n'],
  ])('when agent.yaml has %s', async (_, text) => {
    const before = await readFile(at('agent.yaml'), 'utf8');
    const line = await endsWith(
      78,
      () => writeFile(at('agent.yaml'), text),
      () => writeFile(at('agent.yaml'), before),
    );
    expect(line).toContain('agent.yaml');
    expect(line).not.toContain('canary');
  });
});

describe('a second agent on the same state directory', () => {
  it.each([
    ['beside it', []],
    ['in another network namespace', ['unshare', '--net', '--']],
  ])('%s ends, and the first goes on', async (_, prefix) => {
    const { pids } = attacked;
    const { code, lines } = await another(prefix);
    expect(code).not.toBe(0);
    expect(lines.at(-1)).toMatch(/another agent|already|runs/);
    expect(await attacked.answers()).toBe(true);
    expect(attacked.pids).toEqual(pids);
  });
});
