import { readFileSync } from 'node:fs';
import { quantile } from '../test/helpers/quantile.ts';

/** Memory of a process, in MiB. */
export interface Memory {
  resident: number;
  /** Pages that other processes map too count in part. */
  proportional: number;
}

/** Clock ticks of /proc/PID/stat in a second: the same on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** What /proc/PID/smaps_rollup says (proc(5)). */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mebibytes = (name: string): number =>
    Number(new RegExp(String.raw`^${name}:\s*(\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { resident: mebibytes('Rss'), proportional: mebibytes('Pss') };
}

/** CPU time that a process has used, with that of the children it has waited for, in seconds. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / TICKS_PER_SECOND;
}

/** The middle value; the mean of the two middle ones is not made. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);
