import { rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { codeOf, messageOf } from '../../src/base/errors.ts';

/** What the keeper of a lab can be asked. */
export const Request = v.variant('command', [
  v.object({ command: v.literal('grow'), to: v.number() }),
  v.object({ command: v.literal('list') }),
  v.object({ command: v.literal('reboot'), node: v.string() }),
  v.object({ command: v.literal('partition'), node: v.string(), cut: v.boolean() }),
  v.object({ command: v.literal('down') }),
]);
export type Request = v.InferOutput<typeof Request>;

/** The answer comes line by line as things happen; the last one is `done` or `failed`. */
const Answer = v.union([
  v.object({ line: v.string() }),
  v.object({ failed: v.string() }),
  v.object({ done: v.literal(true) }),
]);

/** Tells a person something. */
export type Say = (line: string) => void;

/** Answers requests, each on a connection of its own, for as long as this process lives. */
export async function serveControl(
  socketFile: string,
  handle: (request: Request, say: Say) => Promise<void>,
): Promise<void> {
  await rm(socketFile, { force: true });
  const server = createServer((socket) => {
    const tell = (answer: v.InferInput<typeof Answer>): void => {
      if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
    };
    socket.on('error', () => undefined); // whoever asked has gone; the work goes on
    createInterface(socket).once('line', (text) => {
      const work = async (): Promise<void> => {
        await handle(v.parse(Request, JSON.parse(text)), (line) => tell({ line }));
      };
      work()
        .then(
          () => tell({ done: true }),
          (error: unknown) => tell({ failed: messageOf(error) }),
        )
        .finally(() => socket.end());
    });
  });
  server.listen(socketFile);
  await once(server, 'listening');
}

/**
 * Asks the keeper of a lab and passes on what it says. Resolves with false when there is no keeper;
 * rejects with what it says when it fails.
 */
export async function ask(socketFile: string, request: Request, say: Say): Promise<boolean> {
  const socket = createConnection(socketFile);
  try {
    await once(socket, 'connect');
  } catch (error) {
    if (['ENOENT', 'ECONNREFUSED'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
  socket.write(`${JSON.stringify(request)}\n`);
  for await (const text of createInterface(socket)) {
    const answer = v.parse(Answer, JSON.parse(text));
    if ('line' in answer) say(answer.line);
    else if ('failed' in answer) throw new Error(answer.failed);
    else return true;
  }
  throw new Error('the lab ended before it had answered');
}
