import { execFile } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from './project-root.ts';

/** How a run of the built product ended. */
export interface Ending {
  /** The exit code; -1 when a signal ended it, or when it could not be started. */
  code: number;
  stderr: string;
  stdout: string;
}

/**
 * Runs the built product and waits until it has ended by itself, for 20 s at most.
 *
 * @param PATH where its `node` is found.
 */
export function runAgent(
  words: readonly string[],
  PATH = process.env['PATH'] ?? '',
): Promise<Ending> {
  const options = { timeout: 120_000, env: { ...process.env, PATH } };
  return new Promise((resolve) => {
    const program = path.join(projectRoot, 'bin/k2hdkc-agent');
    execFile(program, words, options, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0;
      resolve({ code, stdout, stderr });
    });
  });
}
