import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startBroker } from './broker.ts';
import type { BrokerDescription } from './broker.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The run's broker: `new Broker(inject('broker'))`; each test file makes itself a vhost. */
    broker: BrokerDescription;
  }
}

/** One private broker per run; the returned function is vitest's teardown. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-broker-'));
  const broker = await startBroker(directory);
  project.provide('broker', broker.description);
  return async () => {
    await broker.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
