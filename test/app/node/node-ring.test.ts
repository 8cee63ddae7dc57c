import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createNodeRing, type NodeRingOptions } from '../../../src/app/node/node-ring.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { configured } from '../configured.ts';
import { recordedWorld } from '../world.ts';

/** The ring of a node whose programs do not run; `leave` is what the last agent was at. */
async function bench({ agentYaml = '', leave }: { agentYaml?: string; leave?: object } = {}) {
  const settings = await configured({ agentYaml });
  const { paths, programs } = settings.agent;
  await mkdir(paths.state_dir);
  if (leave) await writeFile(path.join(paths.state_dir, 'leave.json'), JSON.stringify(leave));
  const words = path.join(paths.state_dir, 'words');
  const clock = new ManualClock();
  const { world, lines } = recordedWorld();
  const ring = await createNodeRing({
    ...world,
    clock,
    settings,
    programs: { chmpx: { running: null }, k2hdkc: { running: null } } as unknown as Pick<
      NodeRingOptions['programs'],
      'chmpx' | 'k2hdkc'
    >,
    role: { view: () => ({ cuks: new Set() }) } as unknown as NodeRingOptions['role'],
  });
  /** Has chmpxstatus be this shell text. */
  const chmpxstatus = async (text: string): Promise<void> => {
    await writeFile(programs.chmpxstatus, `#!/bin/sh\n${text}\n`);
    await chmod(programs.chmpxstatus, 0o755);
  };
  return { ...ring, chmpxstatus, words, paths, clock, lines };
}

describe('what sees the ring', () => {
  it('asks the configured chmpxstatus, about the configured ini', async () => {
    const { sight, chmpxstatus, words, paths } = await bench();
    await chmpxstatus(`echo "$@" > ${words}; exit 1`);
    expect(await sight.look()).toBeNull();
    expect(await readFile(words, 'utf8')).toContain(`-conf ${paths.ini_file}`);
    expect(sight.problem).toBeNull(); // that may be chmpx
  });

  it('says when there is no such tool', async () => {
    const { sight, paths, lines } = await bench();
    expect(await sight.look()).toBeNull();
    expect(sight.problem).toContain('chmpxstatus');
    expect(lines).toHaveLength(1);
    expect(paths.ini_file).not.toBe('');
  });

  it('has nothing unread and no split before chmpx runs', async () => {
    const { unread, split } = await bench();
    await unread.look();
    expect([unread.unreadMs, split.giveIn]).toEqual([0, null]);
  });
});

describe('a leave that the last agent was at', () => {
  const runs = { running: true, crashLoops: false } as const;
  const limits = 'cluster: { leave_limit: 100, stop_leave_limit: 7 }\n';

  it.each([
    ['good', 100_000],
    ['stop', 7_000],
  ] as const)('for %s goes on, within its own limit', async (kind, limitMs) => {
    const leave = { is: 'leaving', kind, until: 9e12 };
    const { changes } = await bench({ agentYaml: limits, leave });
    expect(changes.leaveState({ ...runs, wanted: kind })).toEqual({
      is: 'leaving',
      kind,
      deadline: limitMs,
    });
  });

  it('is none when there is no record', async () => {
    const { changes } = await bench();
    expect(changes.leaveState({ ...runs, wanted: 'good' })).toMatchObject({ is: 'idle' });
  });
});
