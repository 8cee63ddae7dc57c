import { readFileSync, watch, type FSWatcher } from 'node:fs';
import type { Clock } from '../../../src/base/clock.ts';
import { messageOf } from '../../../src/base/errors.ts';

/** How the ini is watched. */
export interface IniWatchOptions {
  file: string;
  clock: Clock;
  /** The file changed, was replaced or came back; this is its content. */
  changed: (text: string) => void;
  /** The file was missing for too long, and is not watched any more. */
  lost: (why: string) => void;
}

/** How long a missing ini is waited for, in milliseconds (docs/contracts/ini.md, 1.2). */
const PATIENCE = 500;

/**
 * Watches the file as it is now, as chmpx does with inotify: after every event the file of that
 * name is watched anew and read at once, half-written or not. A file that stays away for half a
 * second is never watched again.
 */
export function watchIni({ file, clock, changed, lost }: IniWatchOptions): void {
  function arm(): void {
    const watcher: FSWatcher = watch(file, () => {
      watcher.close();
      readAgain(clock.monotonic() + PATIENCE);
    });
    watcher.on('error', () => undefined);
  }

  function readAgain(until: number): void {
    let text: string;
    try {
      arm();
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if (clock.monotonic() >= until) {
        lost(messageOf(error));
        return;
      }
      clock.after(10, () => {
        readAgain(until);
      });
      return;
    }
    changed(text);
  }

  try {
    arm();
  } catch (error) {
    lost(messageOf(error));
  }
}
