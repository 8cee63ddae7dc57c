import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { AgentError, codeOf } from '../base/errors.ts';

const { O_RDONLY, O_NONBLOCK } = constants;

/** What the agent keeps is far smaller (bytes). */
const LARGEST = 16 * 1024 ** 2;

/**
 * The text of a small file that this agent keeps. Whatever has its name, this settles at once: a pipe is not
 * waited for, and no device, socket or folder is read. Links are followed: an operator may have made them.
 *
 * @param largest bytes; a larger file is refused before any of it is in memory.
 * @throws AgentError for what is no such file; what cannot be opened rejects as `open` does, with its `code`.
 */
export async function readPlainFile(file: string, largest = LARGEST): Promise<string> {
  const handle = await open(file, O_RDONLY | O_NONBLOCK).catch((cause: unknown) => {
    throw codeOf(cause) === 'ENXIO' ? notPlain(file) : cause; // a socket
  });
  try {
    return await textOf(handle, file, largest);
  } finally {
    await handle.close();
  }
}

function notPlain(file: string): AgentError {
  return new AgentError(`${file} is no plain file`);
}

async function textOf(handle: FileHandle, file: string, largest: number): Promise<string> {
  const found = await handle.stat();
  if (!found.isFile()) throw notPlain(file);
  const { size } = found;
  if (size > largest) {
    throw new AgentError(`${file} has ${size} bytes, and ${largest} are allowed`);
  }
  // Not to its end: somebody may be writing to it.
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.toString('utf8', 0, length);
}
