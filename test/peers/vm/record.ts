import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../../src/base/errors.ts';
import { killTrees, type ProcessIdentity } from '../processes.ts';

/** A VM as another process finds it. */
export interface VmRecord {
  name: string;
  /** Counted from 1; gives its address. */
  number: number;
  address: string;
  instanceId: string;
  /** Whether it is cut off the hub. */
  cut: boolean;
  /** Undefined when it is off. */
  boot?: VmBoot;
}

/** A running VM. */
export interface VmBoot {
  bootId: string;
  /** The process whose end is the end of the VM. */
  power: ProcessIdentity;
  /** Process 1 of the VM, as the host sees it. */
  init: ProcessIdentity;
}

/** Everything that a lab runs: enough to enter it, and to clean it away, from any process. */
export interface LabRecord {
  /** The process that opened it. */
  owner: ProcessIdentity;
  hub: ProcessIdentity;
  /** Folders that come first in the PATH of every VM. */
  programs: string[];
  vms: VmRecord[];
}

/** The record of the lab in a directory; undefined when there is none. */
export function readRecord(directory: string): LabRecord | undefined {
  try {
    return JSON.parse(readFileSync(fileIn(directory), 'utf8')) as LabRecord;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces the record. At once, so that changes at the same time are written in their order. */
export function writeRecord(directory: string, record: LabRecord): void {
  const file = fileIn(directory);
  writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

export function removeRecord(directory: string): void {
  rmSync(fileIn(directory), { force: true });
}

/** Ends whatever of a recorded lab still runs. */
export async function endRecorded({ hub, vms }: LabRecord): Promise<void> {
  const machines = vms.flatMap(({ boot }) => (boot ? [boot.init, boot.power] : []));
  await killTrees([...machines, hub]);
}

function fileIn(directory: string): string {
  return path.join(directory, 'lab.json');
}
