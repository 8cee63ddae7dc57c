import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';
import { drawScenario } from './protocol/draw-scenario.ts';
import { parseScript, scriptText } from './protocol/script.ts';
import { World } from './protocol/world.ts';

/**
 * Agents with their real plans, leads and leaves, on a model of the ring, in virtual time.
 *
 * `PROTOCOL_SEED=4711 PROTOCOL_RUNS=1` runs one seed, or others than usual; a run that breaks a rule
 * prints its seed and its transcript. `PROTOCOL_WRITE=1` writes the transcripts of the scripts again.
 */
const FIRST = Number(process.env['PROTOCOL_SEED'] ?? 1);
const RUNS = Number(process.env['PROTOCOL_RUNS'] ?? 10_000);
/** Seeds of one test. */
const PART = 1_000;
const LIMIT_MS = 600_000;
const SCRIPTS = path.join(projectRoot, 'test/fixtures/protocol');

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

const parts = Array.from({ length: Math.ceil(RUNS / PART) }, (_, n) => FIRST + n * PART);

it.each(parts)(
  'seeds from %i on break no rule',
  async (first) => {
    expect(await firstViolation(first, Math.min(PART, FIRST + RUNS - first))).toBe('');
  },
  LIMIT_MS,
);

it.each(readdirSync(SCRIPTS))('%s goes as it did', async (name) => {
  const file = path.join(SCRIPTS, name);
  const script = parseScript(readFileSync(file, 'utf8'));
  const { transcript, violation } = await new World(script.scenario, true).run();
  const text = `${transcript.timed().join('\n')}\n`;
  if (process.env['PROTOCOL_WRITE'] === '1') writeFileSync(file, scriptText(script, text));
  else expect(text).toBe(script.transcript);
  expect(violation).toBeNull();
});
