import { shown } from '../model/problems.ts';

/** One `[NAME]` block of an ini file. Blocks of the same name are kept apart. */
export interface IniSection {
  /** What stands between the brackets, untouched: chmpx compares it to the letter. */
  name: string;
  /** Keys and values as chmpx, or for `[K2HDKC]` k2hdkc, understands them. */
  entries: Map<string, string>;
  /** Line of the section's head, counted from 1. */
  line: number;
}

/** Something that chmpx passes over with a warning at most, but that a good file does not have. */
export interface IniFault {
  line: number;
  text: string;
}

export interface IniText {
  sections: IniSection[];
  faults: IniFault[];
}

/** A role of 1000 servers has 240 kB; more than this is not a role. */
const MOST_CHARACTERS = 1_048_576;
const MOST_SECTIONS = 4096;

/**
 * Reads ini text as chmpx does (docs/contracts/ini.md, 2.1): trimmed lines, `#` comments, quotes,
 * names to the letter, repeated sections kept apart, the last of two equal keys wins. `[K2HDKC]` is
 * read as k2hdkc does. Never throws: text that is too large gives no sections and one fault.
 */
export function readIniText(text: string): IniText {
  if (text.length > MOST_CHARACTERS) {
    return tooMuch(`has ${text.length} characters, more than ${MOST_CHARACTERS}`);
  }
  const sections: IniSection[] = [];
  const faults: IniFault[] = [];
  let line = 0;
  for (const raw of text.split('\n')) {
    line++;
    const content = trim(raw);
    if (content === '' || content.startsWith('#')) continue;
    if (content.startsWith('[') && content.endsWith(']')) {
      if (sections.length === MOST_SECTIONS) return tooMuch(`has over ${MOST_SECTIONS} sections`);
      sections.push({ name: content.slice(1, -1), entries: new Map(), line });
      continue;
    }
    const fault = addEntry(sections.at(-1), content);
    if (fault !== undefined) faults.push({ line, text: fault });
  }
  return { sections, faults };
}

function tooMuch(what: string): IniText {
  return { sections: [], faults: [{ line: 1, text: `the text ${what}` }] };
}

/** Adds one `KEY = value` line to its section, and returns what is wrong with it, if anything. */
function addEntry(section: IniSection | undefined, content: string): string | undefined {
  if (section === undefined) return `${shown(content)} stands before the first section`;
  const entry = section.name === 'K2HDKC' ? k2hdkcEntry(content) : chmpxEntry(content);
  if (entry === undefined) return `${shown(content)} has a quote or a backslash left open`;
  const [key, value] = entry;
  if (key === '') return `${shown(content)} has no key`;
  const twice = section.entries.has(key);
  section.entries.set(key, value);
  return twice ? `${shown(key)} is given twice in one section` : undefined;
}

/** k2hdkc: `#` cuts wherever it stands, quotes are part of the value, keys in any case. */
function k2hdkcEntry(content: string): [string, string] {
  const [entry = ''] = content.split('#', 1);
  const [key, value] = splitAtEquals(trim(entry));
  return [key.toUpperCase(), value];
}

/** chmpx: the line is split first, then quotes and comments are resolved in both halves. */
function chmpxEntry(content: string): [string, string] | undefined {
  const [rawKey, rawValue] = splitAtEquals(content);
  const key = resolve(rawKey);
  const value = resolve(rawValue);
  return key === undefined || value === undefined ? undefined : [key, value];
}

function splitAtEquals(content: string): [string, string] {
  const at = content.indexOf('=');
  if (at < 0) return [content, ''];
  return [trim(content.slice(0, at)), trim(content.slice(at + 1))];
}

/**
 * Resolves quotes, escapes and an inline comment as chmpx does. A `#` begins a comment only after
 * white space outside quotes. Undefined when a quote or an escape is left open; chmpx then drops
 * the line.
 */
function resolve(text: string): string | undefined {
  if (!/["'#\\]/.test(text)) return text; // as nearly every line of a ring of 1,000 nodes
  let result = '';
  let quote = '';
  let escaped = false;
  let afterSpace = false;
  for (const character of text) {
    if (quote === "'") {
      if (character === "'") quote = '';
      else result += character;
    } else if (escaped) {
      if (quote === '' && character === '#' && afterSpace) break; // with the escape left open
      // Inside double quotes a backslash stays unless it protects a double quote or a backslash;
      // outside it is dropped before whatever follows.
      if (quote === '"' && character !== '"' && character !== '\\') result += '\\';
      result += character;
      escaped = false;
      if (quote === '') afterSpace = isSpace(character);
    } else if (character === '\\') {
      escaped = true;
    } else if (quote === '"') {
      if (character === '"') quote = '';
      else result += character;
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (character === '#' && afterSpace) {
      break;
    } else {
      result += character;
      if (character !== '#') afterSpace = isSpace(character);
    }
  }
  return quote !== '' || escaped ? undefined : trim(result);
}

function isSpace(character: string): boolean {
  return ' \t\v\f\r'.includes(character);
}

/** chmpx's trim: String.trim would also take a byte order mark, which chmpx does not forgive. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && BLANKS.includes(text.charAt(start))) start++;
  while (end > start && BLANKS.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

const BLANKS = ' \t\r\n';
