import { readIniText, type IniSection } from './ini-text.ts';
import { isOwnChoice } from './own-globals.ts';

/**
 * What chmpx and k2hdkc read from the ini only when they start: values as they stand there, by key
 * as a person would name it, `[K2HDKC] MAXTHREAD`. This node's own section counts, not those of
 * others.
 */
export type StartKeys = Readonly<Record<string, string>>;

/**
 * What chmpx 1.0.113 makes its shared memory, queues and message store of, or refuses to change; all
 * other keys of [GLOBAL] it takes over when the ini is replaced. The sizes it takes over too, for
 * structures that stay as small as they were.
 */
const GLOBAL_START_KEYS = new Set([
  ...['GROUP', 'MODE', 'CHMPXIDTYPE', 'DELIVERMODE', 'SELFCTLPORT', 'SELFCUK', 'MAXCHMPX'],
  ...['MAXMQSERVER', 'MAXMQCLIENT', 'MQPERATTACH', 'MAXMQPERCLIENT', 'MAXHISTLOG'],
  ...['MAXQPERSERVERMQ', 'MAXQPERCLIENTMQ'],
  ...['K2HFULLMAP', 'K2HMASKBIT', 'K2HCMASKBIT', 'K2HMAXELE'],
  ...['SSL', 'SSL_VERIFY_PEER', 'SSL_MIN_VER', 'CAPATH', 'NSSDB_DIR'],
  ...['SERVER_CERT', 'SERVER_PRIKEY', 'SLAVE_CERT', 'SLAVE_PRIKEY'],
  ...['MQRWTIMEOUT', 'MQRETRYCNT'], // k2hdkc takes them when it attaches
]);
/** These count when a data file is made; an existing one keeps what it was made with. */
const GEOMETRY = ['K2HMASKBIT', 'K2HCMASKBIT', 'K2HMAXELE', 'K2HPAGESIZE'];
/** Where the data is. */
const PLACE = ['K2HTYPE', 'K2HFILE'];

/** What the programs of this node read from this ini only when they start. */
export function startKeys(ini: string): StartKeys {
  const { sections } = readIniText(ini);
  const keys = sections
    .filter(ofThisNode(sections))
    .flatMap((section) =>
      [...section.entries]
        .filter(([key]) => isStartKey(section, key))
        .map(([key, value]) => [nameOf(section, key), value] as const),
    );
  return Object.fromEntries(keys);
}

/** The keys that two sets do not have alike, in the order in which they stand in the ini. */
export function differingKeys(a: StartKeys, b: StartKeys): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]);
}

/** What has to start again for the new ini to count: both programs, out of the ring and back in. */
export interface Roll {
  /** The keys that ask for it. */
  keys: string[];
  /** The data will not be there any more: what other servers do not take over stays behind. */
  leavesData: boolean;
}

/**
 * What a new ini asks of programs that run. Null: all of it is taken over as it comes, but for what is
 * the agent's own choice, which waits for their next start.
 *
 * @param started what they were started with; null when chmpx does not run: they will read it all.
 */
export function rollFor(ini: string, started: StartKeys | null): Roll | null {
  if (started === null) return null;
  const next = startKeys(ini);
  // The agent sets nothing of a slave. Data in memory ends with its k2hdkc; a slave has none.
  const isSlave = started['[GLOBAL] MODE'] === 'SLAVE';
  const isOwn = (key: string): boolean => !isSlave && isOwnChoice(key, next[key]);
  const keys = differingKeys(started, next).filter((key) => !isOwn(key));
  if (keys.length === 0) return null;
  const inMemory = !isSlave && started['[K2HDKC] K2HTYPE'] !== 'file';
  const moves = PLACE.some((key) => keys.includes(`[K2HDKC] ${key}`));
  return { keys, leavesData: inMemory || moves };
}

/**
 * The ini with the keys that must wait as the programs were started with them: what chmpx may be
 * given while it runs. One that is told a larger MAXMQCLIENT would use queues that it does not have.
 */
export function withStartKeys(ini: string, started: StartKeys | null): string {
  const waiting = started ? differingKeys(started, startKeys(ini)) : [];
  if (started === null || waiting.length === 0) return ini;
  const { sections } = readIniText(ini);
  const isOwn = ofThisNode(sections);
  const lines = ini.split('\n');
  const from = (section: IniSection | undefined): number => (section?.line ?? lines.length + 1) - 1;
  const head = lines.slice(0, from(sections[0]));
  const note = `# As before until the programs start again: ${waiting.join(', ')}.`;
  const bodies = sections.map((section, at) => {
    const body = lines.slice(from(section), from(sections[at + 1]));
    return isOwn(section) ? hold(section, body, started) : body;
  });
  return [note, ...head, ...bodies.flat()].join('\n');
}

/** What the programs are to read from this ini while the data is still where `started` says. */
export function unmoved(ini: string, started: StartKeys): StartKeys {
  const names = PLACE.map((key) => `[K2HDKC] ${key}`);
  const place = Object.entries(started).filter(([key]) => names.includes(key));
  return { ...startKeys(ini), ...Object.fromEntries(place) };
}

/** The keys of the data file's geometry that differ between two ini. */
export function geometryChanges(before: string, after: string): string[] {
  return dataChanges(before, after, GEOMETRY);
}

/** The keys that say where the data is, and differ between two ini. */
export function placeChanges(before: string, after: string): string[] {
  return dataChanges(before, after, PLACE);
}

function dataChanges(before: string, after: string, keys: readonly string[]): string[] {
  const [a, b] = [before, after].map(
    (ini) => readIniText(ini).sections.find(({ name }) => name === 'K2HDKC')?.entries,
  );
  return a && b ? keys.filter((key) => a.get(key) !== b.get(key)) : [];
}

/** The lines of a section of this node with what must wait put back. */
function hold(section: IniSection, [name = '', ...lines]: string[], started: StartKeys): string[] {
  const prefix = nameOf(section, '');
  const kept = lines.filter((line) => !isStartKey(section, /^(\w+) = /.exec(line)?.[1] ?? ''));
  const put = Object.entries(started)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => `${key.slice(prefix.length)} = ${value}`);
  return [name, ...put, ...kept];
}

function isStartKey({ name }: IniSection, key: string): boolean {
  if (key === '') return false;
  if (name === 'GLOBAL') return GLOBAL_START_KEYS.has(key);
  // k2hdkc 1.0.19 reads K2HINIT and never uses it.
  return name !== 'K2HDKC' || (key !== 'K2HINIT' && !GEOMETRY.includes(key));
}

/** A slave has no k2hdkc. */
function ofThisNode(sections: readonly IniSection[]): (section: IniSection) => boolean {
  const global = sections.find(({ name }) => name === 'GLOBAL')?.entries;
  const self = global?.get('SELFCUK');
  return ({ name, entries }) =>
    name === 'GLOBAL' ||
    (name === 'K2HDKC' && global?.get('MODE') !== 'SLAVE') ||
    (self !== undefined && entries.get('CUK') === self);
}

function nameOf({ name }: IniSection, key: string): string {
  return `[${name}] ${key}`;
}
