/** One section of an ini file; a name may occur more than once. */
export interface Section {
  name: string;
  values: ReadonlyMap<string, string>;
}

/**
 * Splits an ini file as chmpx does (docs/contracts/ini.md, 2.1): lines are trimmed, `#` in front is
 * a comment, names are case-sensitive, the first `=` divides, the last of equal keys wins. What
 * stands before the first section, so also a section behind a byte order mark, is lost.
 */
export function parseIni(text: string): Section[] {
  const sections: (Section & { values: Map<string, string> })[] = [];
  for (const raw of text.split('\n')) {
    const line = trim(raw);
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[') && line.endsWith(']')) {
      sections.push({ name: line.slice(1, -1), values: new Map() });
      continue;
    }
    const divider = line.indexOf('=');
    const key = trim(divider < 0 ? line : line.slice(0, divider));
    const value = divider < 0 ? '' : bareValue(trim(line.slice(divider + 1)));
    sections.at(-1)?.values.set(key, value);
  }
  return sections;
}

function trim(text: string): string {
  return text.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
}

/** Takes the quotes off a quoted value, and the `# …` off any other. */
function bareValue(text: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text);
  if (quoted?.[1] !== undefined) return quoted[1].replaceAll(/\\(.)/g, '$1');
  const raw = /^'([^']*)'/.exec(text);
  if (raw?.[1] !== undefined) return raw[1];
  return trim(text.replace(/#.*$/, ''));
}

/** The leading whole number of a text, 0 when there is none, as C's atoi reads it. */
export function atoi(text: string): number {
  return Number.parseInt(text, 10) || 0;
}

/** A port as chmpx keeps it: a C `short`, so that 40020 becomes -25516. */
export function port(text: string): number {
  return (atoi(text) << 16) >> 16;
}

/** ON/YES or OFF/NO in any case; `undefined` for anything else. */
export function onOff(text: string): boolean | undefined {
  const word = text.toUpperCase();
  if (word === 'ON' || word === 'YES') return true;
  if (word === 'OFF' || word === 'NO') return false;
  return undefined;
}
