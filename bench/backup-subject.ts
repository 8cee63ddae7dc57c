// This agent's side of the benchmark, in a process of its own: it makes or restores one backup and
// prints what that needed.
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import path from 'node:path';
import { parseBackupRequest, parseRestoreRequest } from '../src/backup/backup-info.ts';
import { makeBackup } from '../src/backup/make/backup.ts';
import { restoreBackup } from '../src/backup/restore/restore.ts';
import { systemClock } from '../src/base/clock.ts';
import { createLogger } from '../src/base/log.ts';
import { Secrets } from '../src/base/secrets.ts';
import { PLAIN_STORAGE } from '../test/helpers/storage-config.ts';

/** How often the event loop is looked at; a part of each delay that is reported. */
const RESOLUTION_MS = 5;

/** As JSON in the environment: a token is in it. */
interface Order {
  what: 'backup' | 'restore';
  swiftUrl: string;
  token: string;
  container: string;
  id: string;
  checksum: string;
  dataFile: string;
  k2hlinetool: string;
  level: number;
}

const order = JSON.parse(process.env['ORDER'] ?? '') as Order;
const secrets = new Secrets();
const log = createLogger({
  format: 'text',
  level: 'info',
  secrets,
  write: (line) => void process.stderr.write(line),
});
const storage = { ...PLAIN_STORAGE, container: order.container };
const { k2hlinetool, dataFile } = order;
const tool = { k2hlinetool, toolUser: null };
const common = { storage, ...tool, clock: systemClock, random: Math.random, secrets, log };
const caller = { token: order.token, projectId: 'test', serviceCatalog: [] };
const { signal } = new AbortController();
const dataFolders = [path.dirname(dataFile)];

async function backup(): Promise<string> {
  const request = parseBackupRequest({
    id: order.id,
    datastore: 'k2hdkc',
    datastore_version: '1.0.16',
    storage_driver: 'swift',
    swift_url: order.swiftUrl,
  });
  const { level } = order;
  const limits = { level, segmentBytes: 2 * 1024 ** 3, snapshotTimeoutMs: 60_000 };
  const places = {
    known: () => [],
    begun: () => Promise.resolve(),
    removed: () => Promise.resolve(),
  };
  const job = { request, caller, dataFile, dataFolders, places, signal };
  return (await makeBackup({ ...common, ...limits }, job)).checksum;
}

async function restore(): Promise<string> {
  const request = parseRestoreRequest({
    id: order.id,
    storage_driver: 'swift',
    swift_url: order.swiftUrl,
    location: `${order.swiftUrl}/${order.container}/${order.id}.gz`,
    checksum: order.checksum,
  });
  const geometry = {
    maskBit: 8,
    collisionMaskBit: 4,
    maxElements: 32,
    pageSize: 512,
    fullMap: true,
  };
  const target = { file: dataFile, geometry };
  await restoreBackup(common, { request, caller, target, dataFolders, signal });
  return order.checksum;
}

/** MiB, from /proc/self/status (proc(5)). */
function mebibytes(field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(
    readFileSync('/proc/self/status', 'latin1'),
  );
  return Number(found?.[1]) / 1024;
}

/**
 * Looks at the event loop again and again; resolves, when it is over, with the 99th percentile of the
 * CPU time (ms) that its thread had from one look to the next: how long it can have been blocked if
 * nobody else had the processor.
 */
function watchTurns(): () => number {
  // Nanoseconds of the first thread, which is the one of JavaScript (sched-stats.rst of Linux).
  const file = openSync('/proc/self/schedstat', 'r');
  const text = Buffer.alloc(64); // readFileSync would take 64 KiB at every look
  const cpu = (): number => {
    readSync(file, text, 0, text.length, 0);
    return Number.parseInt(text.toString('latin1'));
  };
  const turns: number[] = [];
  let last = cpu();
  const timer = setInterval(() => {
    const now = cpu();
    turns.push((now - last) / 1e6);
    last = now;
  }, RESOLUTION_MS);
  return () => {
    clearInterval(timer);
    closeSync(file);
    turns.sort((a, b) => a - b);
    return turns[Math.ceil(0.99 * turns.length) - 1] ?? NaN;
  };
}

async function main(): Promise<void> {
  await import('execa'); // an agent that serves runs chmpxstatus by it
  writeFileSync('/proc/self/clear_refs', '5'); // VmHWM starts anew
  const before = mebibytes('VmRSS');
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const turn = watchTurns();
  const checksum = await (order.what === 'backup' ? backup() : restore());
  delays.disable();
  const growth = mebibytes('VmHWM') - before;
  const lag = delays.percentile(99) / 1e6 - RESOLUTION_MS;
  process.stdout.write(JSON.stringify({ checksum, growth, lag, turn: turn() }));
}

void main();
