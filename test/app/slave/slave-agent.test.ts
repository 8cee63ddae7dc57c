import { expect, it } from 'vitest';
import { openAgentState } from '../../../src/app/agent-state.ts';
import { startSlaveAgent } from '../../../src/app/slave/slave-agent.ts';
import { isLocked } from '../../../src/host/instance-lock.ts';
import { until } from '../../helpers/until.ts';
import { configuredSlave } from '../configured.ts';
import { recordedWorld } from '../world.ts';

const SECRET = 'http://192.0.2.1/v1/userdata/a-secret';

/** The agent of a slave whose K2HR3 cannot be reached. */
async function started(agentYaml = '') {
  const settings = await configuredSlave({ agentYaml });
  const recorded = recordedWorld();
  const agent = await startSlaveAgent({
    ...recorded.world,
    settings,
    version: '1.2.3',
    source: {
      secret: SECRET,
      access: () => Promise.reject(new Error(`cannot reach ${SECRET}`)),
    },
  });
  return { agent, ...recorded, directory: settings.agent.paths.state_dir };
}

/** What the next agent finds. */
async function wanted(directory: string) {
  const state = await openAgentState(directory);
  await state.unlock();
  return state.desired.current;
}

it('wants to be in the cluster, and says what it does about it', async () => {
  const { agent, lines, directory } = await started();
  expect(await isLocked(directory)).toBe(true);
  await until('it registers', () => lines.some(({ msg, now }) => msg === 'slave' && now !== ''));
  await agent.stop();
  expect(await isLocked(directory)).toBe(false);
  expect(await wanted(directory)).toMatchObject({
    mode: 'slave',
    parameters: { extdataUrl: SECRET },
  });
});

it('leaves the cluster before it ends when it is stopped for good', async () => {
  const { agent, texts, directory } = await started();
  await agent.leave();
  expect(texts).toContain('this node has left the cluster');
  expect(await isLocked(directory)).toBe(false);
  expect(await wanted(directory)).toMatchObject({ parameters: null });
});
