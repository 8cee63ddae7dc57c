import { withoutSecrets } from '../k2hr3/k2hr3-error.ts';

/** Nobody reads more lines than this of each side in a log line. */
const MOST_LINES = 4;
/** Characters of one line that are shown. */
const LONGEST_LINE = 60;

/**
 * What differs between two role resources, short enough for a log line: lines that are gone as
 * `-line`, new ones as `+line`, a few of each. Lines that moved do not differ; comments, blank lines
 * and the spaces around a `=` do not count. Other people's text: on one line, cut, without what
 * looks like a secret.
 */
export function roleDiff(before: string, after: string): string {
  const [old, young] = [linesOf(before), linesOf(after)];
  return [...some('-', notIn(old, young)), ...some('+', notIn(young, old))].join(' ');
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => withoutSpaces(line.trim()))
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function withoutSpaces(line: string): string {
  const at = line.indexOf('=');
  return at < 0 ? line : `${line.slice(0, at).trimEnd()}=${line.slice(at + 1).trimStart()}`;
}

/** The lines that stand more often in the first list than in the second. */
function notIn(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

function some(mark: string, lines: readonly string[]): string[] {
  const shown = lines.slice(0, MOST_LINES).map((line) => {
    return `${mark}${JSON.stringify(withoutSecrets(line).slice(0, LONGEST_LINE))}`;
  });
  const more = lines.length - shown.length;
  return more > 0 ? [...shown, `${mark}(${more} more)`] : shown;
}
