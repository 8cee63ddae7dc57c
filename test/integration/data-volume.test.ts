import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DataVolume } from '../../src/node/data-volume.ts';
import { DesiredStateStore } from '../../src/node/desired-state.ts';
import { systemClock } from '../../src/base/clock.ts';
import { mountTools } from '../../src/host/mount-tools.ts';
import { DEFAULT_VOLUME_OPTIONS } from '../../src/host/mount-volume.ts';
import { silentLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { detachLoopDevice, loopDevice } from '../peers/loop-device.ts';

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** A volume for the test that runs. */
async function newVolume(): Promise<string | null> {
  const device = loopDevice(path.join(await temporaryDirectory(), 'volume'), 32);
  if (device !== null) onTestFinished(() => detachLoopDevice(device));
  return device;
}

/** The volume of an agent with this state directory. */
async function agentIn(directory: string, how = DEFAULT_VOLUME_OPTIONS) {
  const desired = await DesiredStateStore.open(directory);
  const [clock, log] = [systemClock, silentLog];
  const tools = mountTools();
  return {
    desired,
    volume: new DataVolume({ desired, tools, how, clock, random: Math.random, log }),
  };
}

describe('a real volume', () => {
  it('is formatted once, mounted, and mounted again after a boot with what is on it', async (test) => {
    const device = await newVolume();
    if (device === null) return test.skip();
    const directory = await temporaryDirectory();
    const mountPoint = path.join(directory, 'data');
    const umount = () => void run('umount', mountPoint);

    const first = await agentIn(directory);
    const volume = await first.volume.setUp({ device, mountPoint }, { mayFormat: true });
    expect(volume.uuid).toMatch(/^[0-9a-f-]{36}$/);
    await first.desired.update({ volume });
    expect(await first.volume.isMounted()).toBe(true);
    mkdirSync(path.join(mountPoint, 'of k2hdkc'));
    await writeFile(path.join(mountPoint, 'k2hdkc.k2h'), 'data');
    umount();
    expect(await first.volume.isMounted()).toBe(false);

    // The next agent; its device has got another name.
    const next = await agentIn(directory);
    await next.desired.update({ volume: { ...volume, device: '/dev/nonexistent' } });
    await next.volume.mount();
    onTestFinished(umount);
    expect(await next.volume.isMounted()).toBe(true);
    expect([next.volume.problem, next.volume.retryInMs]).toEqual([null, 0]);
    expect(await readFile(path.join(mountPoint, 'k2hdkc.k2h'), 'utf8')).toBe('data');
    expect(await next.volume.setUp({ device, mountPoint }, { mayFormat: true })).toMatchObject({
      device,
    });
    expect(await readFile(path.join(mountPoint, 'k2hdkc.k2h'), 'utf8')).toBe('data');
  });

  it('that holds something is not formatted', async (test) => {
    const device = await newVolume();
    if (device === null) return test.skip();
    const directory = await temporaryDirectory();
    run('mkswap', device);
    const { volume } = await agentIn(directory);
    const mountPoint = path.join(directory, 'data');
    await expect(volume.setUp({ device, mountPoint }, { mayFormat: true })).rejects.toThrow(
      `${device} holds no file system but swap: it is left alone`,
    );
    expect(run('blkid', '-p', '-o', 'value', '-s', 'TYPE', device)).toBe('swap');
  });

  it('that does not come is waited for, with the reason', async () => {
    const directory = await temporaryDirectory();
    const { desired, volume } = await agentIn(directory);
    const mountPoint = path.join(directory, 'data');
    await desired.update({ volume: { device: '/dev/nonexistent', mountPoint, uuid: null } });
    await volume.mount();
    expect(await volume.isMounted()).toBe(false);
    expect(volume.problem).toBe(
      '/dev/nonexistent is not there: attach the volume, or look for it with lsblk',
    );
    expect(volume.retryInMs).toBeGreaterThan(0);
  });
});
