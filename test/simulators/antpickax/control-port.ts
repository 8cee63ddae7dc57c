import net from 'node:net';
import type { Answer } from './merge-commands.ts';
import { STALL } from './ring-node.ts';
import type { Settings } from './settings.ts';

/** What the control port needs to know. */
export interface ControlPortOptions {
  settings: Settings;
  /** Answers a command line. */
  execute: (line: string) => Promise<Answer>;
  /** Whether the node is still starting; a request then is held up by 5 s. */
  disturbs: () => boolean;
}

/** Requests closer together than this are back to back (docs/contracts/chmpx.md, 3.3). */
const BACK_TO_BACK = 100;

/**
 * The control port: one command per connection, answered and closed. What comes with the first
 * segment is the command, so one that is written in two pieces is not understood. Whoever asks is
 * answered: the real one denies a host that no ini names and then answers it all the same
 * (docs/contracts/chmpx.md, 3.1).
 */
export function controlPort(options: ControlPortOptions): net.Server {
  const { settings, execute, disturbs } = options;
  const { clock } = settings;
  let lastRequest = -Infinity;
  let backToBack = 0;

  function stall(): number {
    const now = clock.monotonic();
    const hurried = now - lastRequest < BACK_TO_BACK;
    lastRequest = now;
    if (disturbs()) return STALL;
    if (!hurried || settings.stallEvery === 0) return 0;
    backToBack += 1;
    return backToBack % settings.stallEvery === 0 ? STALL : 0;
  }

  return net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('end', () => {
      if (socket.bytesRead === 0) socket.destroy();
    });
    socket.once('data', (data) => {
      socket.resume();
      const wait = stall();
      void execute(data.toString('latin1')).then((answer) => {
        clock.after(wait + (answer.delay ?? 0), () => {
          socket.end(`${answer.text}\n`);
          lastRequest = clock.monotonic();
        });
      });
    });
  });
}
