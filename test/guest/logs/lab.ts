import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Secrets } from '../../../src/base/secrets.ts';
import { FileSource } from '../../../src/guest/logs/file-source.ts';
import type { GuestLog } from '../../../src/guest/logs/guest-log.ts';
import {
  GuestLogs,
  type GuestLogsParts,
  type LogAction,
} from '../../../src/guest/logs/guest-logs.ts';
import { LogRecords } from '../../../src/guest/logs/log-records.ts';
import { startMemorySwift } from '../../backup/swift/memory-swift.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { PLAIN_STORAGE } from '../../helpers/storage-config.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

export const PREFIX = 'g-1/k2hdkc-chmpx/';
export const METAFILE = 'g-1/k2hdkc-chmpx_metafile';
export const CONTAINER = 'database_logs';

/** The logs of a VM, and a Swift in memory. */
export async function logsLab(change: Partial<GuestLogsParts> = {}) {
  const swift = await startMemorySwift();
  const directory = await temporaryDirectory();
  const state = path.join(directory, 'state');
  await mkdir(state);
  const file = (name: string): string => path.join(directory, `${name}.out`);
  const logs: GuestLog[] = [
    { name: 'agent', type: 'SYS', source: null },
    { name: 'chmpx', type: 'USER', source: new FileSource(file('chmpx')) },
    { name: 'k2hdkc', type: 'USER', source: new FileSource(file('k2hdkc')) },
  ];
  const secrets = new Secrets();
  const { log, texts } = recordingLog();
  const storage = { ...PLAIN_STORAGE, swiftUrl: swift.storageUrl.replace(/test$/, '') };
  const options = {
    container: CONTAINER,
    limitBytes: 20,
    expirySeconds: 3600,
    exposed: ['chmpx', 'k2hdkc'],
  };
  /** What the next agent has. */
  const agent = async (more: Partial<GuestLogsParts> = {}): Promise<GuestLogs> =>
    new GuestLogs({
      instanceId: 'g-1',
      logs,
      options,
      records: await LogRecords.open(state, log),
      storage,
      answerMs: 178_000,
      ending: new AbortController().signal,
      silenceTimeoutMs: 2_000,
      pauses: { first: 1, cap: 2 },
      clock: systemClock,
      random: () => 0.5,
      secrets,
      log,
      ...change,
      ...more,
    });
  const context = { auth_token: swift.token, project_id: 'test', is_admin: false };
  /** What users see when they read all objects of a log in the order of their names. */
  const inSwift = (prefix = PREFIX): string[] =>
    [...swift.objects.entries()]
      .filter(([name]) => name.startsWith(`${CONTAINER}/${prefix}`))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { body }]) => body.toString());
  const write = (text: string, name = 'chmpx'): Promise<void> => appendFile(file(name), text);
  return {
    swift,
    directory,
    state,
    secrets,
    options,
    texts,
    context,
    agent,
    inSwift,
    write,
    file,
    logs: await agent(),
  };
}

/** What guest_log_action is asked. */
export function asked(what: Partial<LogAction> = {}): LogAction {
  return {
    log_name: 'chmpx',
    enable: false,
    disable: false,
    publish: false,
    discard: false,
    ...what,
  };
}

/** A clock whose wall shows what a test says. */
export function wallClock(wall: () => number): Clock {
  return { ...systemClock, wall };
}
