import { Backoff, type Random } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { isMountPoint } from '../host/mounts.ts';
import type { mountTools } from '../host/mount-tools.ts';
import { mountVolume, type Volume, type VolumeOptions } from '../host/mount-volume.ts';
import type { DesiredStateStore } from './desired-state.ts';

/** What the data volume works with. */
export interface DataVolumeOptions {
  desired: DesiredStateStore;
  tools: ReturnType<typeof mountTools>;
  how: VolumeOptions;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** A volume that comes late, or never (ms). */
const VOLUME_RETRY = { first: 500, cap: 15_000 };

/** The volume with the data: set up by prepare, and mounted again after each boot. */
export class DataVolume {
  readonly #options: DataVolumeOptions;
  readonly #backoff: Backoff;
  #problem: string | null = null;
  #notBefore = 0;

  constructor(options: DataVolumeOptions) {
    this.#options = options;
    this.#backoff = new Backoff(VOLUME_RETRY, options.random);
  }

  /** Whether it is where it belongs, or there is none. */
  async isMounted(): Promise<boolean> {
    const { desired, tools } = this.#options;
    const { volume } = desired.current;
    return volume === null || isMountPoint(volume.mountPoint, tools.mountTable);
  }

  /** Why it could not be mounted the last time; null when it could, or that was not tried yet. */
  get problem(): string | null {
    return this.#problem;
  }

  /** How long the next try to mount it must still wait, in milliseconds. */
  get retryInMs(): number {
    return Math.max(0, this.#notBefore - this.#options.clock.monotonic());
  }

  /**
   * Formats it if nothing at all is on it and that is allowed, and mounts it.
   *
   * @returns what is to be remembered of it.
   */
  async setUp(
    { device, mountPoint }: Pick<Volume, 'device' | 'mountPoint'>,
    { mayFormat }: { mayFormat: boolean },
  ): Promise<Volume> {
    const { tools, how, log } = this.#options;
    const volume = { device, mountPoint, uuid: null };
    const uuid = await mountVolume(volume, { ...tools, ...how, mayFormat });
    log.info({ device, mountPoint, uuid }, 'the data volume is mounted');
    return { ...volume, uuid };
  }

  /** Mounts it after a boot; a failure is told by `problem`, and logged when it is another one. */
  async mount(): Promise<void> {
    const { desired, tools, how, clock, log } = this.#options;
    const { volume } = desired.current;
    if (volume === null) return;
    try {
      const uuid = await mountVolume(volume, { ...tools, ...how, mayFormat: false });
      if (uuid !== volume.uuid) await desired.update({ volume: { ...volume, uuid } });
      log.info({ ...volume }, 'the data volume is mounted');
      this.#problem = null;
      this.#backoff.reset();
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#problem) log.error({ problem }, 'the data volume cannot be mounted');
      this.#problem = problem;
      this.#notBefore = clock.monotonic() + this.#backoff.next();
    }
  }
}
