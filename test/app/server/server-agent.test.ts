import { expect, it } from 'vitest';
import { openAgentState } from '../../../src/app/agent-state.ts';
import { startAgent } from '../../../src/app/server/server-agent.ts';
import type { DesiredState } from '../../../src/node/desired-state.ts';
import { isLocked } from '../../../src/host/instance-lock.ts';
import { configured } from '../configured.ts';
import { recordedWorld } from '../world.ts';

/** An agent whose broker cannot be reached, and whose node was left like this. */
async function starting(left: Partial<DesiredState> = {}) {
  const settings = await configured();
  const directory = settings.agent.paths.state_dir;
  const before = await openAgentState(directory);
  await before.desired.update(left);
  await before.unlock();
  const recorded = recordedWorld();
  const start = () => startAgent({ ...recorded.world, settings, version: '1.2.3' });
  return { start, directory, ...recorded };
}

it('starts without a broker, and gives its directory back when it has ended', async () => {
  const { start, directory, texts } = await starting();
  const agent = await start();
  expect(texts).toContain('agent started');
  expect(await isLocked(directory)).toBe(true);
  await agent.stop();
  expect(await isLocked(directory)).toBe(false);
});

it('refuses to be the agent of a slave', async () => {
  const { start, directory } = await starting({ mode: 'slave' });
  await expect(start()).rejects.toThrow(`${directory} is that of a slave`);
});

it('refuses a directory that another agent holds', async () => {
  const { start, directory } = await starting();
  const other = await openAgentState(directory);
  await expect(start()).rejects.toThrow(directory);
  await other.unlock();
});

it.each([
  ['ends when the VM has booted', 'another boot', null],
  ['lasts until the next boot', null, { bootId: null }],
])('a stop_db %s', async (_, bootId, expected) => {
  const { start, directory } = await starting({ stopped: { bootId } });
  const agent = await start();
  await agent.stop();
  const after = await openAgentState(directory);
  expect(after.desired.current.stopped).toEqual(expected);
  await after.unlock();
});
