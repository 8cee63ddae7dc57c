import { ConfigurationError } from '../base/errors.ts';
import { lstrip, rstrip, strip } from './python-text.ts';

/** One `key = value` of an oslo.config file. */
export interface Assignment {
  /** `DEFAULT`, or the section's name in lower case. */
  group: string;
  option: string;
  /** Lines of the value are joined with a newline; surrounding quotes are gone. */
  text: string;
  /** file:line, for messages. */
  where: string;
}

/**
 * Reads the text of an oslo.config file (docs/contracts/trove.md, 8.2; the finer points were
 * measured on oslo.config 9.0.0: an empty line ends a value, quotes are taken off the first line
 * only, section names do not care for case except DEFAULT).
 * Throws ConfigurationError with file and line; it never quotes the line, which may hold a secret.
 */
export function parseConfig(text: string, file: string): Assignment[] {
  const assignments: Assignment[] = [];
  let group: string | undefined;
  let last: Assignment | undefined; // what an indented line continues

  text.split(/\r\n|\r|\n/).forEach((raw, index) => {
    const where = `${file}:${index + 1}`;
    const line = rstrip(raw);
    if (line === '') {
      last = undefined;
    } else if (/^[ \t]/.test(line)) {
      if (!last) throw new ConfigurationError(`${where}: an indented line that continues nothing`);
      last.text += `\n${lstrip(line)}`;
    } else if (line.startsWith('[')) {
      group = sectionName(line, where);
      last = undefined;
    } else if (/^[#;]/.test(line)) {
      last = undefined;
    } else {
      if (group === undefined) {
        throw new ConfigurationError(`${where}: an option before the first [section]`);
      }
      last = { group, ...splitAssignment(line, where), where };
      assignments.push(last);
    }
  });
  return assignments;
}

/** Names of groups are compared in lower case, except DEFAULT. */
export function groupKey(name: string): string {
  return name === 'DEFAULT' ? name : name.toLowerCase();
}

function sectionName(line: string, where: string): string {
  if (!line.endsWith(']')) throw new ConfigurationError(`${where}: a [section] without its "]"`);
  if (line === '[]') throw new ConfigurationError(`${where}: a section without a name`);
  return groupKey(line.slice(1, -1));
}

function splitAssignment(line: string, where: string): { option: string; text: string } {
  const at = line.search(/[=:]/);
  if (at < 0) throw new ConfigurationError(`${where}: neither "key = value" nor a comment`);
  const option = strip(line.slice(0, at));
  if (option === '') throw new ConfigurationError(`${where}: a value without a key`);
  return { option, text: unquote(strip(line.slice(at + 1))) };
}

function unquote(text: string): string {
  const quoted = /^["']/.test(text) && text.at(0) === text.at(-1);
  return quoted ? text.slice(1, -1) : text;
}
