import * as v from 'valibot';
import type { FilesystemStats } from '../host/filesystem-stats.ts';
import type { HardwareInfo } from '../host/hardware.ts';
import type { ProcessFigures } from '../host/process-figures.ts';
import { isObject } from '../oslo/envelope.ts';
import type { GuestLogView } from './guest-log-view.ts';
import { CAST, HIGH, LOW, NOTIFIED_CAST } from './guest-method.ts';
import type { JsonObject } from './json.ts';

// What we do not read is `unknown`: a cast with an argument that is refused would leave an instance
// in BUILD until Trove's own timeout.
const unread = v.optional(v.unknown());
const text = v.optional(v.nullable(v.string()), null);
// Not v.record, which takes a list for an object.
const object = v.nullable(v.custom<JsonObject>(isObject, 'expected an object or null'));
const nonEmptyObject = v.pipe(
  object,
  v.transform((value) => (value !== null && Object.keys(value).length > 0 ? value : null)),
);

/** As a user's request has it: `true`, 1, or null when it is not there. */
const flag = v.pipe(v.unknown(), v.transform(Boolean));

/** The methods that have a handler, as Trove sends them, with the arguments that we read typed. */
export const HANDLED_METHODS = {
  prepare: {
    ...CAST,
    version: '1.1',
    notifies: true,
    args: v.object({
      /** A list from Trove 18, an empty text from newer ones. */
      packages: v.unknown(),
      databases: v.unknown(),
      memory_mb: v.unknown(),
      users: v.unknown(),
      device_path: text,
      mount_point: text,
      /** What to restore, or null. */
      backup_info: v.optional(object, null),
      config_contents: unread,
      root_password: unread,
      /** The configuration group; see readOverrides. */
      overrides: v.optional(object, null),
      /** Null for a single instance. An empty one means the same to Trove's own guest. */
      cluster_config: v.optional(nonEmptyObject, null),
      snapshot: unread,
      modules: unread,
      ds_version: text,
    }),
  },
  create_backup: {
    ...NOTIFIED_CAST,
    /** What to back up where, by parseBackupRequest: what is wrong in it ends the backup as FAILED. */
    args: v.object({ backup_info: object }),
  },
  cluster_complete: { ...HIGH, args: v.object({}) },
  restart: { ...HIGH, args: v.object({}) },
  stop_db: {
    ...LOW,
    version: '1.1',
    /** The argument comes only from a Trove that is pinned to guest API 1.0. */
    args: v.object({ do_not_start_on_reboot: v.optional(v.boolean(), false) }),
  },
  start_db_with_conf_changes: {
    ...HIGH,
    version: '1.1',
    /** Trove's template of the configuration, which has nothing that K2HDKC reads. */
    args: v.object({ config_contents: v.unknown(), ds_version: unread }),
  },
  rebuild: {
    ...CAST,
    args: v.object({
      ds_version: v.unknown(),
      config_contents: unread,
      /** The configuration group, empty for none; see readOverrides. */
      config_overrides: v.optional(object, null),
    }),
  },
  update_overrides: {
    ...HIGH,
    args: v.object({ overrides: object, remove: v.optional(v.boolean(), false) }),
  },
  apply_overrides: { ...HIGH, args: v.object({ overrides: object }) },
  /** Always about the data volume; Trove sends null as the path. */
  get_filesystem_stats: { ...LOW, args: v.object({ fs_path: v.nullable(v.string()) }) },
  get_hwinfo: { ...LOW, args: v.object({}) },
  get_diagnostics: { ...LOW, args: v.object({}) },
  rpc_ping: { ...LOW, args: v.object({}) },
  guest_log_list: { ...HIGH, args: v.object({}) },
  guest_log_action: {
    ...HIGH,
    args: v.object({
      log_name: v.string(),
      enable: flag,
      disable: flag,
      publish: flag,
      discard: flag,
    }),
  },
} as const;

export type HandledMethod = keyof typeof HANDLED_METHODS;

/** The checked arguments of each handled method. */
export type GuestArgs = {
  [M in HandledMethod]: v.InferOutput<(typeof HANDLED_METHODS)[M]['args']>;
};

/** What a method returns to Trove where that is not null. */
export interface GuestResults {
  get_filesystem_stats: FilesystemStats;
  get_hwinfo: HardwareInfo;
  get_diagnostics: Diagnostics;
  rpc_ping: true;
  guest_log_list: GuestLogView[];
  guest_log_action: GuestLogView;
}

/** What Trove shows an administrator as the diagnostics of a guest: those of the agent itself. */
export interface Diagnostics extends ProcessFigures {
  /** Version of this agent. */
  version: string;
}
