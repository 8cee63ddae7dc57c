import { nodeId, statusOf, type Report } from './control-report.ts';
import type { ServerNode } from './configuration.ts';
import { chmpxTime, statusText } from './status.ts';

/** What `chmpxstatus -self` prints. Some lines are indented deeper than in the whole report. */
export function selfReport(report: Report): string {
  return fields(report, report.configuration.self)
    .map(([name, value], index) => {
      const deeper = index >= 7 && index <= 12;
      return deeper ? row('    ', name, value) : row('  ', name, value);
    })
    .join('');
}

/** What `chmpxstatus` prints without `-self` (captured; the self block comes first). */
export function wholeReport(report: Report): string {
  const { configuration, stem, pid, started, suspendMerge, clients } = report;
  const { numbers, servers } = configuration;
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
    ['base hash count', report.status.ring === 'SERVICE IN' ? 1 : 0],
    ['now operating', yesNo(report.status.operation === 'Doing')],
    ['last using random chmpxid', '0xffffffffffffffff'],
  ];
  const block = (server: ServerNode, indent: string): string =>
    fields(report, server)
      .map(([name, value]) => row(indent, name, value))
      .join('');
  return (
    table(rows) +
    '\n' +
    table(ring) +
    `self chmpx = {\n${block(configuration.self, '  ')}}\n` +
    `server chmpxs [ ${servers.length} ] = {\n` +
    servers.map((one, index) => `  [${index}] = {\n${block(one, '    ')}  }\n`).join('') +
    '}\nslave chmpxs [ 0 ] = {\n}\n' +
    `free chmpx area count                        = ${numbers.MAXCHMPX - servers.length}\n` +
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

function fields(report: Report, server: ServerNode): [string, string | number][] {
  const status = statusOf(report, server);
  const mine = server === report.configuration.self;
  const hash = status.ring === 'SERVICE IN' ? '0x0000000000000000' : '0xffffffffffffffff';
  return [
    ['chmpxid', `0x${nodeId(report.configuration, server)}`],
    ['hostname', server.name],
    ['mode', 'server'],
    ['base hash', hash],
    ['pending hash', hash],
    ['port', server.port],
    ['control port', server.ctlport],
    ['cuk', server.cuk],
    ['custom id seed', server.seed],
    ['endpoints', ''],
    ['control endpoints', ''],
    ['forward peers', ''],
    ['reverse peers', ''],
    ['ssl', 'no'],
    ['sockets', ''],
    ['listen socket', mine ? 9 : -1],
    ['control socket', -1],
    ['listen control socket', mine ? 11 : -1],
    ['last status update time', `${chmpxTime(report.updated)} (unix time)`],
    ['status', statusText(status)],
  ];
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
