import { stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openAgentState, type AgentState } from '../../src/app/agent-state.ts';
import { readBootId } from '../../src/host/boot-id.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

async function open(directory: string): Promise<AgentState> {
  const state = await openAgentState(directory);
  onTestFinished(state.unlock);
  return state;
}

it('makes a directory that nobody else can read, for a node that is new', async () => {
  const directory = path.join(await temporaryDirectory(), 'state');
  const state = await open(directory);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(state.directory).toBe(directory);
  expect(state.bootId).toBe(readBootId());
  expect(state.desired.current).toMatchObject({ phase: 'new', mode: 'server' });
});

it('holds it alone until it is given back, and the next agent finds what was wanted', async () => {
  const directory = await temporaryDirectory();
  const first = await open(directory);
  await first.desired.update({ phase: 'prepared' });
  await expect(openAgentState(directory)).rejects.toThrow(directory);
  await first.unlock();
  const second = await open(directory);
  expect(second.desired.current.phase).toBe('prepared');
});
