import { GEOMETRY_KEYS } from './data-keys.ts';
import type { Section } from '../text/sections.ts';

/**
 * What chmpx and k2hdkc read from the ini only when they start: values as they are written there, by
 * key as a person would name it, `[K2HDKC] MAXTHREAD`. This node's own section counts, not those of
 * others. It is remembered on disk with the process that was started, so its form stays.
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

/** What the programs of this node read from this ini only when they start. */
export function startKeys(sections: readonly Section[]): StartKeys {
  const keys = sections
    .filter(ofThisNode(sections))
    .flatMap(({ name, entries }) =>
      [...entries]
        .filter(([key]) => isStartKey(name, key))
        .map(([key, value]) => [startKeyName(name, key), value] as const),
    );
  return Object.fromEntries(keys);
}

/** The keys that two sets do not have alike, those of the first one first. */
export function differingKeys(a: StartKeys, b: StartKeys): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]);
}

/** An ini with what the programs read only when they start as `started` has it. */
export function withStartKeys<T extends Section>(sections: readonly T[], started: StartKeys): T[] {
  const isOwn = ofThisNode(sections);
  return sections.map((section) => {
    if (!isOwn(section)) return section;
    const { name, entries } = section;
    const prefix = startKeyName(name, '');
    const kept = [...entries].filter(([key]) => !isStartKey(name, key));
    const former = Object.entries(started)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value] as const);
    return { ...section, entries: new Map([...kept, ...former]) };
  });
}

/** How `StartKeys` names the key of a section. */
export function startKeyName(section: string, key: string): string {
  return `[${section}] ${key}`;
}

function isStartKey(section: string, key: string): boolean {
  if (key === '') return false;
  if (section === 'GLOBAL') return GLOBAL_START_KEYS.has(key);
  // k2hdkc 1.0.19 reads K2HINIT and never uses it.
  return section !== 'K2HDKC' || (key !== 'K2HINIT' && !GEOMETRY_KEYS.includes(key));
}

/** A slave has no k2hdkc. */
function ofThisNode(sections: readonly Section[]): (section: Section) => boolean {
  const global = sections.find(({ name }) => name === 'GLOBAL')?.entries;
  const self = global?.get('SELFCUK');
  return ({ name, entries }) =>
    name === 'GLOBAL' ||
    (name === 'K2HDKC' && global?.get('MODE') !== 'SLAVE') ||
    (self !== undefined && entries.get('CUK') === self);
}
