import type { LogLine } from './agent-logs.ts';

/** What the agents' logs say of one change. Times in seconds. */
export interface ChangeTimes {
  /** Where the time went: phases in their order. */
  phases: [name: string, seconds: number][];
  /** The ring was closed for so long, by the statuses that the leaders saw. */
  closed: number;
  /** Each hang and what was done about it. */
  hangs: string[];
}

/** What begins with a line; `closes`: from then on the ring is closed to clients. */
const MARKS: [mark: RegExp, phase: string][] = [
  [/^k2hdkc-agent version=/, 'agent starts'],
  [/^register why=/, 'registering'],
  [/^registered in K2HR3/, 'reading the role'],
  [/^servers that run must know this node/, 'until all know it'],
  [/^start-chmpx /, 'chmpx starts'],
  [/^start-k2hdkc /, 'k2hdkc starts'],
  [
    /^chmpx status status="\[SERVICE OUT\]\[UP\]\[n\/a\]\[Nothing\]\[NoSuspend\]/,
    'waiting outside',
  ],
  [/^merge phase=gathering/, 'gathering'],
  [/^merge phase=gathered/, 'giving MERGE'],
  [/^merge phase=(merging|mixed)/, 'merging'],
  [/^merge phase=merged/, 'completing'],
  [/^merge phase=quiet/, 'open'],
  [/^coordinated merge /, 'after it'],
];
const HANGS =
  /^(a merge hangs|restart-pair .*hang|this node hangs|a merge was aborted because|a coordinated merge did not end|the merge was undone).*/;

/** Where the seconds of a change went, by the log of the node that joined or left, and of who led. */
export function changeTimes(
  lines: readonly LogLine[],
  node: string,
  [from, to]: [number, number],
): ChangeTimes {
  const during = lines.filter(({ at }) => at >= from && at <= to);
  const seconds = new Map<string, number>([['before', 0]]);
  let phase = 'before';
  let since = from;
  const enter = (next: string, at: number): void => {
    seconds.set(phase, (seconds.get(phase) ?? 0) + (at - since) / 1000);
    phase = next;
    since = at;
  };
  for (const { at, text } of during.filter((line) => line.node === node)) {
    const doing = /^merge phase=merging ring="(.*)"/.exec(text)?.[1];
    const names = (doing ?? '').split(', ').filter((one) => one.endsWith('doing'));
    const next = MARKS.find(([mark]) => mark.test(text))?.[1];
    const by = names.map((one) => one.split(' ')[0]).join(' ');
    if (next !== undefined) enter(next === 'merging' && by !== '' ? `merging: ${by}` : next, at);
  }
  enter('', to);
  seconds.delete('');
  return {
    phases: [...seconds].filter(([, s]) => s >= 0.05),
    closed: during.reduce((sum, { text }) => sum + closedIn(text), 0),
    hangs: during
      .filter(({ text }) => HANGS.test(text))
      .map(({ node: at, text }) => `${at}: ${text.slice(0, 120)}`),
  };
}

/** What a leader says at the end of its steps; the return of a server that hung counts too. */
function closedIn(text: string): number {
  const ms = /^coordinated merge .*\bclosedMs=(\d+)/.exec(text)?.[1];
  return Number(ms ?? 0) / 1000;
}
