import type { Scalar } from '../../src/ini/model/keys.ts';
import {
  effective,
  type ClusterModel,
  type ServerNode,
  type Settings,
  type SlaveNode,
} from '../../src/ini/model/model.ts';

/** The keys of `[GLOBAL]` in the order and under the names in which chmpxconftest prints them. */
const GLOBAL_KEYS = [
  'MAXCHMPX REPLICA MAXMQSERVER MAXMQCLIENT MQPERATTACH MAXQPERSERVERMQ MAXQPERCLIENTMQ',
  'MAXMQPERCLIENT MAXHISTLOG RWTIMEOUT RETRYCNT CONTIMEOUT MQRWTIMEOUT MQRETRYCNT MQACK DOMERGE',
  'AUTOMERGE MERGETIMEOUT SOCKTHREADCNT MQTHREADCNT MAXSOCKPOOL SOCKPOOLTIMEOUT K2HFULLMAP',
  'K2HMASKBIT K2HCMASKBIT K2HMAXELE SSL_MIN_VER NSSDB_DIR',
].flatMap((line) => line.split(' '));
/** What chmpx takes for RETRYCNT when it is not given; nobody can write it. */
const NO_LIMIT = -1;
const ON_OFF = new Set(['MQACK', 'DOMERGE', 'AUTOMERGE']);

/**
 * What chmpxconftest prints for a model when chmpx reads it as it is meant. DATE is left out: it is
 * printed as a number of its own.
 */
export function expectedDump(model: ClusterModel): string {
  const { global } = model;
  const get = (key: string): Scalar | undefined =>
    effective('GLOBAL', global.settings, key) ?? (key === 'RETRYCNT' ? NO_LIMIT : undefined);
  const idType = global.idType === 'CTLEPS' ? 'CTLENDPOINTS' : global.idType;
  const pairs: [string, string][] = [
    ['GROUP', global.group],
    ['REVISION', String(get('FILEVERSION'))],
    ['MODE', global.mode],
    ['DELIVER MODE', String(get('DELIVERMODE')).toUpperCase()],
    ['SELF CTLPORT', String(global.selfControlPort)],
    ['SELF CUK', global.selfCuk],
    ['CHMPXID TYPE', idType],
    ...GLOBAL_KEYS.map((key): [string, string] => [key, printed(get(key), ON_OFF.has(key))]),
  ];
  return [
    'configuration{',
    ...pairs.map(([name, value]) => `\t${name.padEnd(16)}= ${value}`),
    ...model.servers.flatMap((node, n) => server(model, node, n + 1)),
    ...model.slaves.flatMap((node, n) => slave(node, n + 1)),
    '}',
  ].join('\n');
}

function printed(value: Scalar | undefined, onOff = false): string {
  if (value === undefined) return 'n/a';
  if (typeof value !== 'boolean') return String(value);
  if (onOff) return value ? 'on' : 'off';
  return value ? 'yes' : 'no';
}

function server(model: ClusterModel, node: ServerNode, number: number): string[] {
  const get = (key: string): Scalar | undefined =>
    node.settings.get(key) ?? model.global.settings.get(key);
  const tls = get('SSL') === true;
  const path = (key: string): string => (get(key) === undefined ? '' : String(get(key)));
  const lines: [string, string][] = [
    ['VERIFY_PEER', printed(get('SSL_VERIFY_PEER') ?? false)],
    ['CA PATH TYPE', path('CAPATH') === '' || path('CAPATH') === '/etc' ? 'dir' : 'file'],
    ['CA PATH', path('CAPATH')],
    ['SERVER CERT', path('SERVER_CERT')],
    ['SERVER PRIKEY', path('SERVER_PRIKEY')],
    ['SLAVE CERT', path('SLAVE_CERT')],
    ['SLAVE PRIKEY', path('SLAVE_PRIKEY')],
  ];
  return [
    `\tserver[${number}]{`,
    field('NAME', node.name),
    field('PORT', String(node.port)),
    field('CTLPORT', String(node.controlPort)),
    ...hosts('ENDPOINTS', node.settings, node.port),
    ...hosts('CTLENDPOINTS', node.settings, node.controlPort),
    ...identity(node, tls),
    ...(tls ? lines.map(([name, value]) => field(name, value)) : []),
    '\t}',
  ];
}

function slave(node: SlaveNode, number: number): string[] {
  return [
    `\tslave[${number}]{`,
    field('NAME', node.name),
    field('PORT', '-1'),
    field('CTLPORT', String(node.controlPort)),
    ...hosts('CTLENDPOINTS', node.settings, node.controlPort),
    ...identity(node, false),
    '\t}',
  ];
}

function identity({ settings, cuk, seed }: SlaveNode, tls: boolean): string[] {
  return [
    ...hosts('FORWARD_PEERS', settings),
    ...hosts('REVERSE_PEERS', settings),
    field('CUK', cuk ?? 'n/a'),
    field('CUSTOM_ID_SEED', seed ?? 'n/a'),
    field('SSL', tls ? 'yes' : 'no'),
  ];
}

/** A list of hosts, with their ports if they have any. */
function hosts(key: string, settings: Settings, defaultPort?: number): string[] {
  const list = settings.get(key);
  if (list === undefined) return [field(key, 'n/a')];
  const lines = String(list)
    .split(',')
    .map((entry) => {
      const [host = '', port = String(defaultPort)] = entry.split(':');
      return `\t\t\t${host}${defaultPort === undefined ? '' : ` ( ${port} )`}`;
    });
  return [field(key, '{'), ...lines, '\t\t}'];
}

function field(name: string, value: string): string {
  return `\t\t${name.padEnd(14)}= ${value}`;
}

/** The part of chmpxconftest's output that `expectedDump` is about; null when there is none. */
export function dumpOf(stdout: string): string | null {
  const dump = /^configuration\{\n[^]*?\n\}$/m.exec(stdout)?.[0];
  return dump?.replace(/\tDATE .*\n/, '') ?? null;
}
