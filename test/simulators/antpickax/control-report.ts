import { createHash } from 'node:crypto';
import type { Configuration, ServerNode } from './configuration.ts';
import { chmpxTime, statusCode, statusText, unreachable, type Status } from './status.ts';

/** What a report is about. */
export interface Report {
  configuration: Configuration;
  status: Readonly<Status>;
  /** When the status last changed, milliseconds since the epoch. */
  updated: number;
  suspendMerge: boolean;
  /** Processes of the k2hdkc that are attached. */
  clients: readonly number[];
  started: number;
  pid: number;
  /** Where the shared memory is, without the ending. */
  stem: string;
}

/** Answer to VERSION. The word behind the commit tells a stand-in from the real program. */
export const version = 'Version 1.0.113 (commit: standin) with OpenSSL';

/** A number that stands for a node, always the same for the same group and id. */
export function nodeId(configuration: Configuration, server: ServerNode): string {
  const { group, idType } = configuration;
  const ids: Record<string, string> = { CUSTOM: server.seed, CUK: server.cuk };
  const id = ids[idType] ?? `${server.name}:${server.ctlport}`;
  return createHash('sha1').update(`${group} ${id}`).digest('hex').slice(0, 16);
}

/** What is known of a server: everything of oneself, nothing of the others. */
export function statusOf(report: Report, server: ServerNode): Readonly<Status> {
  return server === report.configuration.self ? report.status : unreachable;
}

/** The time of the last change, as chmpx writes it. */
function lastUpdate(report: Report): string {
  const at = new Date(report.updated);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  const time = `${pad(at.getHours())}h ${pad(at.getMinutes())}m ${pad(at.getSeconds())}s`;
  return `${day} ${time} ${at.getMilliseconds()}ms 0us(${chmpxTime(report.updated)})`;
}

const zeroStats = ['count', 'count', 'bytes', 'bytes', 'bytes', 'time', 'time', 'time'];
const statNames = [
  'send count',
  'receive count',
  'total',
  'minimum',
  'maximum',
  'total',
  'minimum',
  'maximum',
];

function stats(title: string): string {
  const lines = statNames.map((name, index) => {
    const unit = zeroStats[index] ?? '';
    return `        ${name.padEnd(17)} = ${unit === 'time' ? '0s 0ns' : `0 ${unit}`}\n`;
  });
  return `    ${title.padEnd(21)} = {\n${lines.join('')}    }\n`;
}

/** Answer to SELFSTATUS. */
export function selfStatus(report: Report): string {
  const { configuration, status } = report;
  const { self, numbers } = configuration;
  const hash = status.ring === 'SERVICE IN' ? '0x0' : '0xffffffffffffffff';
  return `Server Name               = ${self.name}
Internal ID               = 0x${nodeId(configuration, self)}
RING Name                 = ${configuration.group}
Mode                      = Server
Maximum MQ Count          = ${numbers.MAXMQSERVER + numbers.MAXMQCLIENT}
Maximum Queue / Chmpx MQ  = ${numbers.MAXQPERSERVERMQ}
Maximum Queue / Client MQ = ${numbers.MAXQPERCLIENTMQ}
Status                    = {
    Server Status         = ${statusCode(status)}(${statusText(status)})
    Last Update           = ${lastUpdate(report)}
}
Hash                      = {
    Enable Hash Value     = ${hash}
    Pending Hash Value    = ${hash}
}
Connection                = {
    Port(socket)          = ${self.port}(9)
    Control Port(socket)  = ${self.ctlport}(11)
    CUK                   = ${self.cuk}
    Custom ID Seed        = ${self.seed}
    Endpoints             = 
    Control Endppoints    = 
    Forward Peers         = 
    Reverse Peers         = 
    SSL Connection        = no
}
Connection Count          = {
    To Servers            = 1
    From Slaves           = 0
    On Control port       = 1
}
Stats                     = {
${stats('To(From) Servers')}${stats('To(From) Slaves')}}
`;
}

/** Answer to ALLSTATUS: servers only. */
export function allStatus(report: Report): string {
  const blocks = report.configuration.servers.map((server, index) => {
    const status = statusOf(report, server);
    const hash = status.ring === 'SERVICE IN' ? '0x0' : '0xffffffffffffffff';
    return `No.${index + 1}
  Server Name          = ${server.name}
    Port               = ${server.port}
    Control Port       = ${server.ctlport}
    CUK                = ${server.cuk}
    Custom ID Seed     = ${server.seed}
    Endpoints          = 
    Control Endppoints = 
    Forward Peers      = 
    Reverse Peers      = 
    Use SSL            = no
    Server Status      = ${statusCode(status)}(${statusText(status)})
    Last Update        = ${lastUpdate(report)}
    Enable Hash Value  = ${hash}
    Pending Hash Value = ${hash}
`;
  });
  return `RING Name              = ${report.configuration.group}\n${blocks.join('')}`;
}

/** Answer to DUMP: a short form of the real 8 kB, which nobody reads by program. */
export function dump({ configuration, status, stem, pid }: Report): string {
  return `Shared memory file path   = ${stem}.chmpx
pid                  = ${pid}
chmpx_man{
  group              = ${configuration.group}
  cfg_revision       = ${configuration.fileVersion}
  chmpx_self{
    name             = ${configuration.self.name}
    ctlport          = ${configuration.self.ctlport}
    status           = ${statusText(status)}
  }
}
`;
}
