import { MERGE_MODES } from '../../../src/ring/merge-mode.ts';
import { KIND } from './luck.ts';
import type { Event, Happening, Scenario } from './scenario.ts';

/** A scripted run, and the transcript that it had when somebody last looked at it. */
export interface Script {
  scenario: Scenario;
  /** The text above the transcript. */
  head: string;
  transcript: string;
}

const LINE = '---\n';

/**
 * Reads a file of test/fixtures/protocol: comments, the ring, what happens when (in seconds), and
 * behind a line `---` the transcript.
 *
 *     # A server joins.
 *     coordinated ring abc, serving ab
 *     5 prepare c
 */
export function parseScript(text: string): Script {
  const [head = '', transcript = ''] = text.split(LINE);
  const lines = head.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const [first = '', ...rest] = lines;
  const words = /^(\w+) ring (\w+), serving(?: (\w+))?$/.exec(first);
  const mode = MERGE_MODES.find((one) => one === words?.[1]);
  if (!words || !mode)
    throw new Error(`"${first}" is not of the form "coordinated ring abc, serving ab"`);
  const [, , machines = '', serving = ''] = words;
  const events = rest.map(parseEvent);
  return {
    scenario: { seed: 1, mode, machines, serving, unkindness: KIND, events },
    head,
    transcript,
  };
}

/** The same file with another transcript. */
export function scriptText({ head }: Script, transcript: string): string {
  return `${head}${LINE}${transcript}`;
}

function parseEvent(line: string): Event {
  const [seconds = '', action = '', of = '', ...more] = line.split(' ');
  const forMs = more[0] === 'for' ? Number(more[1]) * 1_000 : 0;
  const program = more.find((word) => word === 'chmpx' || word === 'k2hdkc');
  const by = more.find((word) => word === 'answer' || word === 'request');
  const at = Number(seconds) * 1_000;
  const what = happening();
  if (what === null || Number.isNaN(at)) throw new Error(`"${line}" is nothing that can happen`);
  return { at, what };

  function happening(): Happening | null {
    switch (action) {
      case 'new-values':
        return { do: action };
      case 'prepare':
      case 'leave':
      case 'stop-db':
      case 'restart':
      case 'die':
      case 'take-out':
        return { do: action, of };
      case 'crash':
        return program ? { do: action, of, program } : null;
      case 'kill-agent':
      case 'reboot':
      case 'boot-cut-off':
        return { do: action, of, forMs };
      case 'hang':
        return by ? { do: action, of, by } : null;
      default:
        return null;
    }
  }
}
