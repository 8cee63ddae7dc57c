import { stat } from 'node:fs/promises';
import * as v from 'valibot';
import { countSchema } from '../base/schemas.ts';
import { writeFileAtomic } from '../host/atomic-file.ts';
import { readPlainFile } from '../host/plain-file.ts';

/** Where the files of an output begin, in bytes since the first one began. */
export interface OutputStarts {
  /** Of `FILE.1`; null when there is none, or what it holds is not certain. */
  before: number | null;
  current: number;
}

const schema = v.object({
  before: v.nullable(countSchema),
  current: countSchema,
  /** A rotation has begun; it is over as soon as the file is shorter than `size`. */
  rotating: v.nullable(v.object({ size: countSchema, kept: countSchema })),
});
type Noted = v.InferOutput<typeof schema>;

const NEVER_ROTATED: Noted = { before: null, current: 0, rotating: null };

/** Reads what the rotations of a file have left in `FILE.starts`, one that is under way included. */
export async function readOutputStarts(file: string): Promise<OutputStarts> {
  const noted = await readNoted(file);
  const { rotating, current } = noted;
  if (rotating === null) return noted;
  return (await isEmptied(file, rotating.size))
    ? rotated(current, rotating)
    : { before: null, current };
}

/**
 * Notes that a file of `size` bytes is about to be emptied, and that its last `kept` go to `FILE.1` before: an agent
 * that is killed anywhere in between, and one that reads meanwhile, know where the bytes are.
 */
export async function beginRotation(file: string, size: number, kept: number): Promise<void> {
  const { before, current } = await readNoted(file);
  await write(file, { before, current, rotating: { size, kept } });
}

/** Notes that a rotation is over, if there was one: from now on the file may grow as it likes. */
export async function endRotation(file: string): Promise<void> {
  const { current, rotating } = await readNoted(file);
  if (rotating === null || !(await isEmptied(file, rotating.size))) return;
  await write(file, { ...rotated(current, rotating), rotating: null });
}

function rotated(current: number, { size, kept }: { size: number; kept: number }): OutputStarts {
  return { before: current + size - kept, current: current + size };
}

async function isEmptied(file: string, size: number): Promise<boolean> {
  return stat(file).then(
    (found) => found.size < size,
    () => true,
  );
}

async function readNoted(file: string): Promise<Noted> {
  try {
    return v.parse(schema, JSON.parse(await readPlainFile(`${file}.starts`)));
  } catch {
    return NEVER_ROTATED;
  }
}

function write(file: string, noted: Noted): Promise<void> {
  return writeFileAtomic(`${file}.starts`, JSON.stringify(noted));
}
