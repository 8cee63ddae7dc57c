import { expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../../../helpers/temporary-directory.ts';
import { until } from '../../../helpers/until.ts';
import { isRunning, signal } from '../../processes.ts';
import { PythonProcess } from '../python-process.ts';

/** Tests that fail, each as it should: python-process.test.ts runs them. */
async function killedWhileAsked(): Promise<{ answer: Promise<unknown> }> {
  const directory = await temporaryDirectory();
  const logFile = `${directory}/log`;
  const options = { module: 'falls', args: [], path: import.meta.dirname, directory, logFile };
  const python = await PythonProcess.start(options);
  onTestFinished(() => python.stop());
  await python.event('ready');
  const answer = python.request('anything', {});
  signal(python.identity, 'SIGKILL');
  await until('it is gone', () => !isRunning(python.identity));
  return { answer };
}

it('waits for an answer', async () => {
  const { answer } = await killedWhileAsked();
  await answer;
});

it('waits for no answer', async () => {
  expect(await killedWhileAsked()).toHaveProperty('answer');
});

it('goes on', () => {
  expect(true).toBe(true);
});
