import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../helpers/project-root.ts';
import { parseScript, scriptText } from './protocol/script.ts';
import { testSeeds } from './protocol/seeds.ts';
import { World } from './protocol/world.ts';

const SCRIPTS = path.join(projectRoot, 'test/fixtures/protocol');

// Agents with their real plans, leads and leaves, on a model of the ring, in virtual time.
testSeeds(1, 5_000);

// `PROTOCOL_WRITE=1` writes the transcripts of the scripts again.
it.each(readdirSync(SCRIPTS))('%s goes as it did', async (name) => {
  const file = path.join(SCRIPTS, name);
  const script = parseScript(readFileSync(file, 'utf8'));
  const { transcript, violation } = await new World(script.scenario, true).run();
  const text = `${transcript.timed().join('\n')}\n`;
  if (process.env['PROTOCOL_WRITE'] === '1') writeFileSync(file, scriptText(script, text));
  else expect(text).toBe(script.transcript);
  expect(violation).toBeNull();
});
