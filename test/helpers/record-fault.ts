import { appendFile } from 'node:fs/promises';

/** How long it took until something worked again. */
export interface FaultRecord {
  /** Such as `the broker is restarted`. */
  fault: string;
  /** The moment that the time is measured from, such as `the broker accepts connections`. */
  from: string;
  /** What works again. */
  until: string;
  milliseconds: number;
}

/**
 * Adds a line of JSON to the file that K2HDKC_RECORD_FAULTS names, from which scripts/faults.mjs
 * makes docs/faults.md; does nothing without it.
 */
export async function recordFault(record: FaultRecord): Promise<void> {
  const file = process.env['K2HDKC_RECORD_FAULTS'];
  if (file === undefined) return;
  const milliseconds = Math.round(record.milliseconds);
  await appendFile(file, `${JSON.stringify({ ...record, milliseconds })}\n`);
}
