import { readIniText, type IniSection } from './ini-text.ts';

/**
 * What a program reads from the ini only when it starts: values as they stand there, by key as a
 * person would name it, `[K2HDKC] MAXTHREAD`. This node's own section counts, not those of others.
 */
export type StartKeys = Readonly<Record<string, string>>;

/**
 * What chmpx 1.0.113 makes its shared memory, queues and message store of, or refuses to change; all
 * other keys of [GLOBAL] it takes over when the ini is replaced. The sizes it takes over too, for
 * structures that stay as small as they were.
 */
const CHMPX = new Set([
  ...['GROUP', 'MODE', 'CHMPXIDTYPE', 'DELIVERMODE', 'SELFCTLPORT', 'SELFCUK', 'MAXCHMPX'],
  ...['MAXMQSERVER', 'MAXMQCLIENT', 'MQPERATTACH', 'MAXMQPERCLIENT', 'MAXHISTLOG'],
  ...['MAXQPERSERVERMQ', 'MAXQPERCLIENTMQ'],
  ...['K2HFULLMAP', 'K2HMASKBIT', 'K2HCMASKBIT', 'K2HMAXELE'],
  ...['SSL', 'SSL_VERIFY_PEER', 'SSL_MIN_VER', 'CAPATH', 'NSSDB_DIR'],
  ...['SERVER_CERT', 'SERVER_PRIKEY', 'SLAVE_CERT', 'SLAVE_PRIKEY'],
]);
/** Keys of [GLOBAL] that chmpx takes over at once and k2hdkc when it attaches. */
const K2HDKC_GLOBAL = new Set(['MQRWTIMEOUT', 'MQRETRYCNT']);
/** These count when a data file is made; an existing one keeps what it was made with. */
const GEOMETRY = new Set(['K2HMASKBIT', 'K2HCMASKBIT', 'K2HMAXELE', 'K2HPAGESIZE']);
/** Where the data is: another place is another member of the ring, so that chmpx is concerned too. */
const PLACE = new Set(['K2HTYPE', 'K2HFILE']);

/** What `program` reads from this ini only when it starts. */
export function startKeys(ini: string, program: 'chmpx' | 'k2hdkc'): StartKeys {
  const { sections } = readIniText(ini);
  const keys = sections
    .filter(ofThisNode(sections))
    .flatMap((section) =>
      [...section.entries]
        .filter(([key]) => readerOf(section, key) === program)
        .map(([key, value]) => [nameOf(section, key), value] as const),
    );
  return Object.fromEntries(keys);
}

/** The keys that two sets do not have alike, in the order in which they stand in the ini. */
export function differingKeys(a: StartKeys, b: StartKeys): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]);
}

/** What has to start again for the new ini to count, and for which keys. */
export interface Roll {
  /** k2hdkc alone, where it is; or the pair, out of the ring and back in. */
  restart: 'k2hdkc' | 'pair';
  keys: string[];
  /** The data will be elsewhere than now: what is not moved through the ring stays behind. */
  leavesData: boolean;
}

/** What each program was started with; null when it does not run. */
export interface Started {
  chmpx: StartKeys | null;
  k2hdkc: StartKeys | null;
}

/**
 * What a new ini asks of programs that run. k2hdkc starts again under its chmpx, keeps its place in
 * the ring and its file, so that no data moves; whatever changes for chmpx, or where the data is,
 * needs a leave and a join. Null: all of it is taken over as it comes.
 */
export function rollFor(ini: string, { chmpx, k2hdkc }: Started): Roll | null {
  const ofChmpx = chmpx ? differingKeys(chmpx, startKeys(ini, 'chmpx')) : [];
  const ofK2hdkc = k2hdkc ? differingKeys(k2hdkc, startKeys(ini, 'k2hdkc')) : [];
  const keys = [...ofChmpx, ...ofK2hdkc];
  if (keys.length === 0) return null;
  // Data in memory ends with its k2hdkc.
  const inMemory = chmpx?.['[K2HDKC] K2HTYPE'] !== 'file' && ofK2hdkc.length > 0;
  const leavesData = inMemory || ofChmpx.some((key) => key.startsWith('[K2HDKC]'));
  return { restart: ofChmpx.length > 0 || inMemory ? 'pair' : 'k2hdkc', keys, leavesData };
}

/**
 * The ini with the keys that must wait as the programs were started with them: what chmpx may be
 * given while it runs. One that is told a larger MAXMQCLIENT would use queues that it does not have.
 */
export function withStartKeys(ini: string, started: Started): string {
  const waiting = rollFor(ini, started)?.keys ?? [];
  if (waiting.length === 0) return ini;
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

/** The keys of the data file's geometry that differ between two ini. */
export function geometryChanges(before: string, after: string): string[] {
  const [a, b] = [before, after].map(
    (ini) => readIniText(ini).sections.find(({ name }) => name === 'K2HDKC')?.entries,
  );
  return a && b ? [...GEOMETRY].filter((key) => a.get(key) !== b.get(key)) : [];
}

/** The lines of a section of this node with what must wait put back. */
function hold(section: IniSection, [name = '', ...lines]: string[], started: Started): string[] {
  const prefix = nameOf(section, '');
  const kept = lines.filter((line) => {
    const reader = readerOf(section, /^(\w+) = /.exec(line)?.[1] ?? '');
    return reader === null || started[reader] === null;
  });
  const put = Object.entries({ ...started.chmpx, ...started.k2hdkc })
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => `${key.slice(prefix.length)} = ${value}`);
  return [name, ...put, ...kept];
}

function readerOf(section: IniSection, key: string): 'chmpx' | 'k2hdkc' | null {
  if (section.name === 'GLOBAL') {
    if (K2HDKC_GLOBAL.has(key)) return 'k2hdkc';
    return CHMPX.has(key) ? 'chmpx' : null;
  }
  if (section.name !== 'K2HDKC') return key === '' ? null : 'chmpx';
  // k2hdkc 1.0.19 reads K2HINIT and never uses it.
  if (key === '' || key === 'K2HINIT' || GEOMETRY.has(key)) return null;
  return PLACE.has(key) ? 'chmpx' : 'k2hdkc';
}

function ofThisNode(sections: readonly IniSection[]): (section: IniSection) => boolean {
  const self = sections.find(({ name }) => name === 'GLOBAL')?.entries.get('SELFCUK');
  return ({ name, entries }) =>
    name === 'GLOBAL' || name === 'K2HDKC' || (self !== undefined && entries.get('CUK') === self);
}

function nameOf({ name }: IniSection, key: string): string {
  return `[${name}] ${key}`;
}
