import { nodeId, type ServerNode } from './configuration.ts';
import { updatedOf, type Report } from './control-report.ts';
import { chmpxTime, slaveUp, statusText, type Status } from './status.ts';

/** What `chmpxstatus -self` prints. Some lines are indented deeper than in the whole report. */
export function selfReport(report: Report): string {
  return selfFields(report)
    .map(([name, value], index) => {
      const deeper = index >= 7 && index <= 12;
      return deeper ? row('    ', name, value) : row('  ', name, value);
    })
    .join('');
}

/** What `chmpxstatus` prints without `-self` (captured; the self block comes first). */
export function wholeReport(report: Report): string {
  const { configuration, stem, pid, started, suspendMerge, clients, view } = report;
  const { numbers } = configuration;
  const { members } = view;
  const slaves = slaveFields(report);
  const attached = clients.length * numbers.MQPERATTACH;
  const total = numbers.MAXMQSERVER + numbers.MAXMQCLIENT;
  const id = nodeId(configuration, configuration.self).slice(0, 8);
  const queue = (index: number): string => `0x${id}${index.toString(16).padStart(8, '0')}`;
  const rows: [string, string | number][] = [
    ['chmpx process id', pid],
    ['process start time', `${started} (unix time)`],
    ['chmpx shared memory file path', `${stem}.chmpx`],
    ['chmpx shared memory file size', '7094936 (byte)'],
    ['chmpx info structure version', 'CHMINFO_VERSION 1.1'],
    ['chmpx info structure size', '34704 (byte)'],
    ['k2hash file path', `${stem}.k2h`],
    ['k2hash full mapping', 'yes'],
    ['k2hash mask bit count', numbers.K2HMASKBIT],
    ['k2hash collision mask bit count', numbers.K2HCMASKBIT],
    ['k2hash maximum element count', numbers.K2HMAXELE],
    ['random mode', yesNo(configuration.random)],
    ['communication history count', numbers.MAXHISTLOG],
    ['auto merge', yesNo(configuration.autoMerge)],
    ['suspend auto merge', yesNo(suspendMerge)],
    ['merge processing(do merge)', yesNo(configuration.doMerge)],
    ['SSL/TLS minimum version', '(default)'],
    ['NSSDB directory path', ''],
    ['timeout for merge', `${numbers.MERGETIMEOUT} (s)`],
    ['thread count for socket', numbers.SOCKTHREADCNT],
    ['thread count for MQ', numbers.MQTHREADCNT],
    ['maximum socket count per chmpx(socket pool)', numbers.MAXSOCKPOOL],
    ['timeout for socket pool', `${numbers.SOCKPOOLTIMEOUT} (s)`],
    ['retry count on socket', numbers.RETRYCNT],
    ['timeout for send/receive on socket', `${numbers.RWTIMEOUT} (us)`],
    ['timeout for connect on socket', `${numbers.CONTIMEOUT} (us)`],
    ['timeout for send/receive on socket', `${numbers.MQRWTIMEOUT} (us)`],
    ['maximum MQ count', total],
    ['chmpx process MQ count', numbers.MAXMQSERVER],
    ['maximum queue per chmpx process MQ', numbers.MAXQPERSERVERMQ],
    ['maximum queue per client process MQ', numbers.MAXQPERCLIENTMQ],
    ['maximum MQ per client process', numbers.MAXMQPERCLIENT],
    ['maximum MQ per attach', numbers.MQPERATTACH],
    ['using MQ ACK', yesNo(configuration.mqAck)],
    ['retry count on MQ', numbers.MQRETRYCNT],
    ['base msgid', queue(0)],
  ];
  const ring: [string, string | number][] = [
    ['chmpx name', configuration.group],
    ['configuration file version', configuration.fileVersion],
    ['configuration file date', `${configuration.date} (unix time)`],
    ['replication count', numbers.REPLICA],
    ['maximum chmpx count', numbers.MAXCHMPX],
    ['base hash count', view.baseHashes],
    ['now operating', yesNo(view.operating)],
    ['last using random chmpxid', '0xffffffffffffffff'],
  ];
  const block = (fields: Fields, indent: string): string =>
    fields.map(([name, value]) => row(indent, name, value)).join('');
  const list = (title: string, blocks: readonly Fields[]): string =>
    `${title} [ ${blocks.length} ] = {\n` +
    blocks.map((one, index) => `  [${index}] = {\n${block(one, '    ')}  }\n`).join('') +
    '}\n';
  return (
    table(rows) +
    '\n' +
    table(ring) +
    `self chmpx = {\n${block(selfFields(report), '  ')}}\n` +
    list(
      'server chmpxs',
      members.map(({ id }) => serverFields(report, id)),
    ) +
    list('slave chmpxs', slaves) +
    `free chmpx area count                        = ${numbers.MAXCHMPX - members.length - slaves.length}\n` +
    'free sock area count                         = 8192\n\n' +
    `chmpx using MQ [ ${numbers.MAXMQSERVER} ] = {\n}\n` +
    `client process using MQ [ ${attached} ] = {\n}\n` +
    'assigned MQ [ 0 ] = {\n}\n' +
    table([
      ['free MQ', total - numbers.MAXMQSERVER - attached],
      ['last random msgid used by chmpx process', queue(numbers.MAXMQSERVER - 1)],
      ['last activated msgid', queue(numbers.MAXMQSERVER + attached - 1)],
      ['last assigned msgid', '0xffffffffffffffff'],
    ]) +
    'joining client process = {\n' +
    clients
      .map((client, index) => `  [${index}] pid                                   = ${client}\n`)
      .join('') +
    '}\n'
  );
}

type Fields = [string, string | number][];

function selfFields(report: Report): Fields {
  const { configuration, status } = report;
  const id = nodeId(configuration, configuration.self);
  if (configuration.mode !== 'SLAVE') return serverFields(report, id);
  return fields(configuration.self, { id, status, updated: updatedOf(report), listens: [-1, 11] });
}

function serverFields({ configuration, view }: Report, id: string): Fields {
  const member = view.find(id);
  if (member === undefined) return [];
  const mine = id === nodeId(configuration, configuration.self);
  return fields(member.server, {
    ...member,
    base: view.hashOf(id, 'base'),
    pending: view.hashOf(id, 'pending'),
    listens: mine ? [9, 11] : [-1, -1],
  });
}

/**
 * The slaves that are connected. A server also lists the one before it in the ring, because that
 * one connects to it as a slave would (seen in all rings of two and more).
 */
function slaveFields({ configuration, view, slaves }: Report): Fields[] {
  const ids = { listens: [-1, -1] as const, status: slaveUp, updated: Date.now() };
  const rows = slaves.map((one) => fields({ ...one, port: -1 }, { ...ids, id: one.node }));
  if (configuration.mode === 'SLAVE') return rows;
  const up = view.members.filter(({ status }) => status.live === 'UP');
  const self = nodeId(configuration, configuration.self);
  const before = up.at(up.findIndex(({ id }) => id === self) - 1);
  if (before === undefined || before.id === self) return rows;
  return [fields({ ...before.server, port: -1 }, { ...ids, id: before.id }), ...rows];
}

interface State {
  id: string;
  status: Readonly<Status>;
  updated: number;
  base?: number | undefined;
  pending?: number | undefined;
  /** Sockets that listen on port and control port. */
  listens: readonly [number, number];
}

function fields(
  node: Pick<ServerNode, 'name' | 'port' | 'ctlport' | 'cuk' | 'seed'>,
  { id, status, updated, base, pending, listens }: State,
): Fields {
  const [listen, listenControl] = listens;
  return [
    ['chmpxid', `0x${id}`],
    ['hostname', node.name],
    ['mode', status.ring === 'SLAVE' ? 'slave' : 'server'],
    ['base hash', hashValue(base)],
    ['pending hash', hashValue(pending)],
    ['port', node.port],
    ['control port', node.ctlport],
    ['cuk', node.cuk],
    ['custom id seed', node.seed],
    ['endpoints', ''],
    ['control endpoints', ''],
    ['forward peers', ''],
    ['reverse peers', ''],
    ['ssl', 'no'],
    ['sockets', ''],
    ['listen socket', listen],
    ['control socket', -1],
    ['listen control socket', listenControl],
    ['last status update time', `${chmpxTime(updated)} (unix time)`],
    ['status', statusText(status)],
  ];
}

function hashValue(hash: number | undefined): string {
  return `0x${hash === undefined ? 'f'.repeat(16) : hash.toString(16).padStart(16, '0')}`;
}

function table(rows: readonly (readonly [string, string | number])[]): string {
  return rows.map(([name, value]) => row('', name, value)).join('');
}

/** A line whose equals sign is in column 45 of the whole report. */
function row(indent: string, name: string, value: string | number): string {
  return `${(indent + name).padEnd(44)} = ${value}\n`;
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
