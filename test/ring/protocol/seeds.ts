import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { drawScenario } from './draw-scenario.ts';
import { World } from './world.ts';

/** Seeds of one test. */
const PART = 1_000;
const LIMIT_MS = 600_000;
const { PROTOCOL_SEED, PROTOCOL_RUNS } = process.env;

/**
 * Tests of these seeds. There are two files of them, which run side by side.
 *
 * `PROTOCOL_SEED=4711 PROTOCOL_RUNS=1` runs one seed, or others than usual, in the first file; a run
 * that breaks a rule prints its seed and its transcript.
 */
export function testSeeds(first: number, runs: number): void {
  const isOwnChoice = PROTOCOL_SEED !== undefined || PROTOCOL_RUNS !== undefined;
  const from = isOwnChoice ? Number(PROTOCOL_SEED ?? 1) : first;
  const count = isOwnChoice ? (first === 1 ? Number(PROTOCOL_RUNS ?? 10_000) : 1) : runs;
  const parts = Array.from({ length: Math.ceil(count / PART) }, (_, n) => from + n * PART);
  it.each(parts)(
    'seeds from %i on break no rule',
    async (seed) => {
      expect(await firstViolation(seed, Math.min(PART, from + count - seed))).toBe('');
    },
    LIMIT_MS,
  );
}

/** Runs these seeds until one breaks a rule; says what that was, with all that happened. */
async function firstViolation(first: number, runs: number): Promise<string> {
  for (let seed = first; seed < first + runs; seed += 1) {
    const scenario = drawScenario(seed);
    const { violation } = await new World(scenario, false).run();
    if (seed % 20 === 0) await setImmediate();
    if (violation === null) continue;
    const { transcript } = await new World(scenario, true).run();
    const { mode, machines, serving } = scenario;
    const ring = `${mode} ring ${machines}, serving ${serving}`;
    return [`PROTOCOL_SEED=${seed}: ${violation}`, ring, ...transcript.timed()].join('\n');
  }
  return '';
}
