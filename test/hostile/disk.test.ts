import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Backoff } from '../../src/base/backoff.ts';
import { continueUnfinished } from '../../src/guest/continue-unfinished.ts';
import { Journal } from '../../src/guest/journal.ts';
import { Operations } from '../../src/guest/operations.ts';
import { Outbox } from '../../src/guest/report/outbox.ts';
import { writeFileAtomic } from '../../src/host/atomic-file.ts';
import { DesiredStateStore } from '../../src/node/desired-state.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { SmallDisk, type DiskTrouble } from '../helpers/small-disk.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { desiredState } from '../node/builders.ts';

const TROUBLES: DiskTrouble[] = ['full', 'read-only'];

/** A state directory on a disk of its own; null where there are none. */
async function smallState(): Promise<{ state: string; disk: SmallDisk } | null> {
  const state = path.join(await temporaryDirectory(), 'state');
  const disk = SmallDisk.mount(state, 256);
  if (disk === null) return null;
  onTestFinished(() => disk.unmount());
  return { state, disk };
}

describe.each(TROUBLES)('with a state directory that is %s', (trouble) => {
  it('a write says so', async (test) => {
    const small = await smallState();
    if (small === null) return test.skip();
    await small.disk.break(trouble);
    await expect(writeFileAtomic(path.join(small.state, 'x'), 'y'.repeat(9_000))).rejects.toThrow(
      new RegExp(
        `cannot write ${small.state}/x: the file system of ${small.state} \\(small\\) is ${trouble}`,
      ),
    );
    expect((await readdir(small.state)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('the journal opens, has what is open, refuses by reason, and accepts when it can', async (test) => {
    const small = await smallState();
    if (small === null) return test.skip();
    const { state, disk } = small;
    const before = await Journal.open(state, 'a boot');
    await before.accept({ id: 'old', body: '{"method":"restart"}' });
    await disk.break(trouble);
    const journal = await Journal.open(state, 'another boot');
    await expect(journal.keepBoot()).rejects.toThrow(`cannot write ${state}/journal/boot`);
    expect(await journal.unfinished()).toMatchObject([{ id: 'old', fromEarlierBoot: true }]);

    const clock = new ManualClock();
    const { log } = recordingLog();
    const operations = new Operations({ journal, clock, log, progress: () => '' });
    const accepted: string[] = [];
    const perform = (id: string) =>
      operations.perform({
        name: 'restart',
        key: id,
        entry: { id, body: '{}' },
        limitMs: null,
        accepted: () => void accepted.push(id),
        work: () => Promise.resolve('done'),
      });
    await expect(perform('new')).rejects.toThrow(
      `restart is refused, it cannot be stored on this VM: cannot write ${state}/journal`,
    );
    expect(accepted).toEqual([]);
    disk.mend();
    expect(await perform('newer')).toBe('done');
    expect(await readFile(path.join(state, 'journal/boot'), 'utf8')).toBe('another boot');
  });

  it('a stop_db of an earlier boot is over, whether that can be stored or not', async (test) => {
    const small = await smallState();
    if (small === null) return test.skip();
    const { state, disk } = small;
    const before = await Journal.open(state, 'a boot');
    await before.accept({ id: 'stop', body: '{"method":"stop_db","args":{},"version":"1.0"}' });
    await disk.break(trouble);
    const journal = await Journal.open(state, 'another boot');
    const resumed: string[] = [];
    const resume = (body: string): Promise<void> => Promise.resolve(void resumed.push(body));
    await continueUnfinished(journal, { resume }, recordingLog().log);
    expect(resumed).toEqual([]);
  });

  it('what is true at a start is gone by, and is on disk with the next change', async (test) => {
    const small = await smallState();
    if (small === null) return test.skip();
    const { state, disk } = small;
    const stopped = { ...desiredState(), stopped: { bootId: 'a boot' } };
    await writeFile(path.join(state, 'desired.json'), JSON.stringify(stopped));
    await disk.break(trouble);
    const store = await DesiredStateStore.open(state);
    const changes: unknown[] = [];
    store.onChange(() => changes.push(store.current.stopped));
    expect(String(await store.assume({ stopped: null }))).toContain(
      `cannot write ${state}/desired.json`,
    );
    expect(changes).toEqual([null]);
    disk.mend();
    await store.update({ generation: 'next' });
    expect((await DesiredStateStore.open(state)).current).toMatchObject({
      stopped: null,
      generation: 'next',
    });
  });

  it('the outbox opens without a folder, and makes it when it can', async (test) => {
    const small = await smallState();
    if (small === null) return test.skip();
    const { state, disk } = small;
    await disk.break(trouble);
    const { log, texts } = recordingLog('warn');
    const outbox = await Outbox.open({
      stateDirectory: state,
      send: () => Promise.resolve('confirmed'),
      repeatMs: 15_000,
      nextSent: () => 1,
      clock: new ManualClock(),
      backoff: new Backoff({ first: 1, cap: 1 }, () => 0.5),
      log,
    });
    const message = { method: 'notify_end' as const, args: {}, context: {} };
    if (trouble === 'read-only') {
      expect(texts).toEqual(['the outbox cannot be used: notifications may be lost']);
    }
    await expect(outbox.postDurable('1', message)).rejects.toThrow(`cannot write ${state}/outbox`);
    disk.mend();
    await outbox.postDurable('1', message);
    expect(await readdir(path.join(state, 'outbox'))).toHaveLength(1);
  });
});

describe('a file in the place of a folder', () => {
  it.each(['journal', 'journal/open', 'journal/done'])('%s is put aside by name', async (name) => {
    const state = await temporaryDirectory();
    await mkdir(path.dirname(path.join(state, name)), { recursive: true });
    await writeFile(path.join(state, name), 'no folder');
    const journal = await Journal.open(state, 'a boot');
    await journal.accept({ id: 'a', body: '{}' });
    expect(await readFile(path.join(state, `${name}.refused`), 'utf8')).toBe('no folder');
    expect(await readdir(path.join(state, 'journal/open'))).toHaveLength(1);
  });
});
