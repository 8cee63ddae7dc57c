import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { temporaryDirectory } from './temporary-directory.ts';

/**
 * Puts tools of these names before all others in PATH until the test is over. Each runs the shell
 * text that stands for it.
 *
 * @returns what was called so far: the words of each call, the tool's name first.
 */
export async function fakeTools(tools: Record<string, string>): Promise<() => Promise<string[][]>> {
  const directory = await temporaryDirectory();
  const calls = path.join(directory, 'calls');
  await writeFile(calls, '');
  for (const [name, text] of Object.entries(tools)) {
    const file = path.join(directory, name);
    const words = String.raw`printf '%s\n' ${name} "$@" '' >>${calls}`;
    await writeFile(file, `#!/bin/sh\n${words}\n${text}\n`);
    await chmod(file, 0o755);
  }
  vi.stubEnv('PATH', `${directory}:${process.env['PATH'] ?? ''}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return async () => {
    const text = await readFile(calls, 'utf8');
    return text
      .split('\n\n')
      .filter(Boolean)
      .map((call) => call.split('\n'));
  };
}
