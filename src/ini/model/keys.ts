/** A checked value: a port or number, a switch, or a word, name, path or list as text. */
export type Scalar = string | number | boolean;
/** The sections that chmpx and k2hdkc know. */
export type SectionName = 'GLOBAL' | 'SVRNODE' | 'SLVNODE' | 'K2HDKC';

/** What a value may be. `values.ts` reads and writes each kind. */
export type KeyKind =
  | { readonly is: 'port' | 'boolean' | 'text' | 'path' | 'name' | 'self' | 'seed' | 'hosts' }
  /** Names with `|` between them. */
  | { readonly is: 'choice' }
  | { readonly is: 'integer'; readonly least: number; readonly most: number }
  | { readonly is: 'word'; readonly words: readonly string[] };

/** One key of the ini. */
export interface KeySpec {
  readonly name: string;
  readonly kind: KeyKind;
  /** What chmpx or k2hdkc takes when the key is missing. */
  readonly standard?: Scalar;
  /** Without it chmpx refuses the file, or the nodes are not the ones that are meant. */
  readonly required?: true;
  /**
   * The role may name a file here, in the folders that it may use. Any other path is code to load, a
   * secret or a certificate, and comes from agent.yaml only (docs/ini.md).
   */
  readonly roleMayName?: true;
}

const INT_MAX = 2_147_483_647;

const port: KeyKind = { is: 'port' };
const onOff: KeyKind = { is: 'boolean' };
const path: KeyKind = { is: 'path' };
const name: KeyKind = { is: 'name' };
const choice: KeyKind = { is: 'choice' };
const hosts: KeyKind = { is: 'hosts' };
const words = (...list: string[]): KeyKind => ({ is: 'word', words: list });
const integer = (least: number, most = INT_MAX): KeyKind => ({ is: 'integer', least, most });

/** Times are microseconds, except MERGETIMEOUT and SOCKPOOLTIMEOUT (seconds). */
const GLOBAL: readonly KeySpec[] = [
  { name: 'FILEVERSION', kind: integer(0), required: true },
  { name: 'DATE', kind: { is: 'text' } },
  { name: 'GROUP', kind: { is: 'text' }, required: true },
  { name: 'MODE', kind: words('SERVER', 'SLAVE'), required: true },
  {
    name: 'CHMPXIDTYPE',
    kind: words('NAME', 'CUK', 'CTLENDPOINTS', 'CTLEPS', 'CUSTOM'),
    required: true, // chmpx would take NAME, and all ids would change
  },
  { name: 'DELIVERMODE', kind: words('hash', 'random'), required: true },
  { name: 'MAXCHMPX', kind: integer(1, 32_768), standard: 1024 },
  { name: 'REPLICA', kind: integer(0, 32_768), standard: 0 },
  { name: 'MAXMQSERVER', kind: integer(1, 128), standard: 1 },
  { name: 'MAXMQCLIENT', kind: integer(1, 32_640), standard: 8192 },
  { name: 'MQPERATTACH', kind: integer(1, 128), standard: 1 },
  { name: 'MAXQPERSERVERMQ', kind: integer(1, 128), standard: 8 },
  { name: 'MAXQPERCLIENTMQ', kind: integer(1, 128), standard: 1 },
  { name: 'MAXMQPERCLIENT', kind: integer(1, 128), standard: 1 },
  { name: 'MAXHISTLOG', kind: integer(0, 32_768), standard: 8192 },
  { name: 'PORT', kind: port },
  { name: 'CTLPORT', kind: port },
  { name: 'SELFCTLPORT', kind: port, required: true },
  { name: 'SELFCUK', kind: { is: 'self' }, required: true },
  { name: 'RWTIMEOUT', kind: integer(0), standard: 0 },
  { name: 'RETRYCNT', kind: integer(0) },
  { name: 'CONTIMEOUT', kind: integer(0), standard: 0 },
  { name: 'MQRWTIMEOUT', kind: integer(0), standard: 0 },
  { name: 'MQRETRYCNT', kind: integer(0), standard: 3 },
  { name: 'MQACK', kind: onOff, standard: true },
  { name: 'AUTOMERGE', kind: onOff, standard: false },
  { name: 'DOMERGE', kind: onOff, standard: false },
  { name: 'MERGETIMEOUT', kind: integer(0), standard: 0 },
  { name: 'SOCKTHREADCNT', kind: integer(0), standard: 0 },
  { name: 'MQTHREADCNT', kind: integer(0), standard: 0 },
  { name: 'MAXSOCKPOOL', kind: integer(1), standard: 1 },
  { name: 'SOCKPOOLTIMEOUT', kind: integer(0), standard: 60 },
  { name: 'SSL', kind: onOff, standard: false },
  { name: 'SSL_VERIFY_PEER', kind: onOff, standard: false },
  {
    name: 'SSL_MIN_VER',
    kind: words('DEFAULT', 'SSLV2', 'SSLV3', 'TLSV1.0', 'TLSV1.1', 'TLSV1.2', 'TLSV1.3'),
    standard: 'DEFAULT',
  },
  { name: 'CAPATH', kind: path },
  { name: 'SERVER_CERT', kind: path },
  { name: 'SERVER_PRIKEY', kind: path },
  { name: 'SLAVE_CERT', kind: path },
  { name: 'SLAVE_PRIKEY', kind: path },
  { name: 'NSSDB_DIR', kind: path },
  { name: 'K2HFULLMAP', kind: onOff, standard: true },
  { name: 'K2HMASKBIT', kind: integer(2, 28), standard: 8 },
  { name: 'K2HCMASKBIT', kind: integer(1), standard: 4 },
  { name: 'K2HMAXELE', kind: integer(1), standard: 32 },
];

const SVRNODE: readonly KeySpec[] = [
  { name: 'NAME', kind: name, required: true },
  { name: 'CUK', kind: name, required: true },
  { name: 'PORT', kind: port },
  { name: 'CTLPORT', kind: port },
  { name: 'CUSTOM_ID_SEED', kind: { is: 'seed' } },
  { name: 'ENDPOINTS', kind: hosts },
  { name: 'CTLENDPOINTS', kind: hosts },
  { name: 'FORWARD_PEERS', kind: hosts },
  { name: 'REVERSE_PEERS', kind: hosts },
  { name: 'SSL', kind: onOff },
  { name: 'SSL_VERIFY_PEER', kind: onOff },
  { name: 'CAPATH', kind: path },
  { name: 'SERVER_CERT', kind: path },
  { name: 'SERVER_PRIKEY', kind: path },
  { name: 'SLAVE_CERT', kind: path },
  { name: 'SLAVE_PRIKEY', kind: path },
];

const ONLY_SERVERS = new Set(['PORT', 'ENDPOINTS', 'SERVER_CERT', 'SERVER_PRIKEY']);
const SLVNODE = SVRNODE.filter(({ name: key }) => !ONLY_SERVERS.has(key)).map((key) =>
  key.name === 'CUK' ? { name: key.name, kind: choice } : key,
);

/**
 * PASSPHRASES is left out on purpose: the file can be read by everybody on the VM, and PASSFILE
 * does the same. RCVTIMEOUT is milliseconds, REDUCETIME and EXPIRE are seconds.
 */
const K2HDKC: readonly KeySpec[] = [
  // Without it k2hdkc would keep all data in memory only.
  { name: 'K2HTYPE', kind: words('file', 'mem', 'temp'), required: true },
  { name: 'K2HFILE', kind: path, roleMayName: true },
  { name: 'K2HFULLMAP', kind: onOff, standard: true },
  { name: 'K2HINIT', kind: onOff },
  { name: 'K2HMASKBIT', kind: integer(2, 28), standard: 8 },
  { name: 'K2HCMASKBIT', kind: integer(1), standard: 4 },
  { name: 'K2HMAXELE', kind: integer(1), standard: 32 },
  { name: 'K2HPAGESIZE', kind: integer(128), standard: 128 },
  { name: 'MINTHREAD', kind: integer(1, 100), standard: 1 },
  { name: 'MAXTHREAD', kind: integer(1, 100), standard: 100 },
  { name: 'REDUCETIME', kind: integer(1), standard: 600 },
  { name: 'RCVTIMEOUT', kind: integer(1) },
  { name: 'SVRNODEINI', kind: path },
  { name: 'REPLCLUSTERINI', kind: path },
  { name: 'DTORTHREADCNT', kind: integer(0, 64) },
  { name: 'DTORCTP', kind: path },
  { name: 'PASSFILE', kind: path },
  { name: 'HISTORY', kind: onOff, standard: false },
  { name: 'EXPIRE', kind: integer(0), standard: 0 },
  { name: 'ATTRPLUGIN', kind: path },
];

/**
 * Every key that this agent lets into an ini, by section, in the order in which it is written.
 * Names, limits and defaults are those of chmpx 1.0.113 and k2hdkc 1.0.19
 * (docs/contracts/ini.md, 3).
 */
export const KEYS: Readonly<Record<SectionName, readonly KeySpec[]>> = {
  GLOBAL,
  SVRNODE,
  SLVNODE,
  K2HDKC,
};

/** The key of that name in that section; names are compared to the letter, as chmpx does. */
export function keySpec(section: SectionName, key: string): KeySpec | undefined {
  return KEYS[section].find((spec) => spec.name === key);
}

/** Whether chmpx or k2hdkc knows a section of this name. */
export function isSectionName(name: string): name is SectionName {
  return Object.hasOwn(KEYS, name);
}
