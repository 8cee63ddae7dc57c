import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startBroker } from '../test/peers/broker.ts';
import { standIns } from '../test/story/programs.ts';
import { Stage } from '../test/story/stage.ts';

/** What a measurement with a broker works on. */
export interface OnStage {
  stage: Stage;
  programs: Awaited<ReturnType<typeof standIns>>;
  /** All of it lies here; the stage in `stage/`. */
  directory: string;
}

/** Measures on a broker and a stage of its own, of which nothing is left afterwards. */
export async function onStage(measure: (on: OnStage) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-bench-'));
  const broker = await startBroker(path.join(directory, 'broker'));
  try {
    const programs = await standIns(directory);
    const stage = await Stage.open(broker, path.join(directory, 'stage'), programs);
    try {
      await measure({ stage, programs, directory });
    } finally {
      await stage.close();
    }
  } finally {
    await broker.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
