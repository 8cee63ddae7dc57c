import { readFile } from 'node:fs/promises';
import { AgentError } from '../../base/errors.ts';

/** The id of this VM, from the file into which cloud-init writes it. */
export async function readInstanceId(file: string): Promise<string> {
  const id = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (id !== '') return id;
  throw new AgentError(
    `${file} holds no instance id: cloud-init writes it, or name another file as paths.instance_id_file`,
    { retryable: true },
  );
}
