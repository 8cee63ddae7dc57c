import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { DEFAULT_VOLUME_OPTIONS, type RunTool } from '../../src/host/mount-volume.ts';
import { DataVolume } from '../../src/node/data-volume.ts';
import { DesiredStateStore } from '../../src/node/desired-state.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const DEVICE = '/dev/no-such-device';
const NOT_THERE = `${DEVICE} is not there: attach the volume, or look for it with lsblk`;

/** A node with a volume that is not mounted; mount works when `works` is set. */
async function bench(uuid: string | null = 'u-1') {
  const directory = await temporaryDirectory();
  const mountPoint = path.join(directory, 'data');
  const mountTable = path.join(directory, 'mounts');
  const mounted = (): Promise<void> => writeFile(mountTable, `/dev/x ${mountPoint} ext4 rw 0 0\n`);
  await writeFile(mountTable, '');
  const state = { works: true, calls: [] as string[] };
  const run: RunTool = async (command, args) => {
    state.calls.push(command);
    if (command === 'mount' && state.works) await mounted();
    // The file system that is known is at a device of another name after a boot.
    const stdout = args.includes('-U') ? '/dev/x\n' : 'UUID=u-1\nTYPE=ext4\nUSAGE=filesystem\n';
    return { exitCode: 0, stdout, stderr: state.works ? '' : 'mount: wrong fs type' };
  };
  const desired = await DesiredStateStore.open(directory);
  const clock = new ManualClock();
  const { log, texts } = recordingLog();
  const volume = new DataVolume({
    desired,
    how: DEFAULT_VOLUME_OPTIONS,
    tools: { run, mountTable },
    clock,
    random: () => 0.5,
    log,
  });
  await desired.update({ volume: { device: DEVICE, mountPoint, uuid } });
  return { volume, desired, clock, texts, state, mounted, mountPoint };
}

it('is where it belongs when it is mounted there, or when there is none', async () => {
  const { volume, desired, mounted } = await bench();
  expect(await volume.isMounted()).toBe(false);
  await mounted();
  expect(await volume.isMounted()).toBe(true);
  await desired.update({ volume: { device: DEVICE, mountPoint: '/elsewhere', uuid: null } });
  expect(await volume.isMounted()).toBe(false);
  await desired.update({ volume: null });
  expect(await volume.isMounted()).toBe(true);
});

it('is mounted after a boot, and nothing is left to wait for', async () => {
  const { volume, state } = await bench();
  await volume.mount();
  expect(state.calls).toContain('mount');
  expect(state.calls.filter((call) => call.startsWith('mkfs'))).toEqual([]);
  expect([await volume.isMounted(), volume.problem, volume.retryInMs]).toEqual([true, null, 0]);
});

it('is not touched when there is none', async () => {
  const { volume, desired, state } = await bench();
  await desired.update({ volume: null });
  await volume.mount();
  expect([state.calls, volume.problem]).toEqual([[], null]);
});

it('that cannot be mounted is tried again after a pause that grows, and logged once', async () => {
  const { volume, texts, state, clock } = await bench();
  state.works = false;
  expect([volume.problem, volume.retryInMs]).toEqual([null, 0]);
  await volume.mount();
  expect(volume.problem).toContain('mount: wrong fs type');
  const first = volume.retryInMs;
  expect(first).toBeGreaterThan(0);
  await clock.advance(first);
  expect(volume.retryInMs).toBe(0);
  await volume.mount();
  expect(volume.retryInMs).toBeGreaterThan(first);
  expect(texts).toEqual(['the data volume cannot be mounted']);
});

it('that came late is forgotten about: the next pause is short again', async () => {
  const { volume, state, desired, clock } = await bench();
  state.works = false;
  await volume.mount();
  const first = volume.retryInMs;
  await volume.mount();
  await clock.advance(volume.retryInMs);
  state.works = true;
  await volume.mount();
  expect(volume.problem).toBeNull();
  await desired.update({ volume: { device: DEVICE, mountPoint: '/nowhere', uuid: null } });
  await volume.mount();
  expect([volume.problem, volume.retryInMs]).toEqual([NOT_THERE, first]);
});

it('another reason is logged again', async () => {
  const { volume, texts, state, desired, mountPoint } = await bench();
  state.works = false;
  await volume.mount();
  await desired.update({ volume: { device: DEVICE, mountPoint, uuid: null } });
  await volume.mount();
  expect(texts).toEqual(Array(2).fill('the data volume cannot be mounted'));
});

it('is set up by prepare, whose error is that of prepare', async () => {
  const { volume, mounted, mountPoint } = await bench(null);
  const wanted = { device: DEVICE, mountPoint };
  await expect(volume.setUp(wanted, { mayFormat: true })).rejects.toThrow(NOT_THERE);
  expect([volume.problem, volume.retryInMs]).toEqual([null, 0]);
  await mounted();
  expect(await volume.setUp(wanted, { mayFormat: true })).toEqual({ ...wanted, uuid: null });
});
