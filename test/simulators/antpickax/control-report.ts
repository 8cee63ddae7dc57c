import { nodeId, type Configuration } from './configuration.ts';
import type { Hello } from './protocol.ts';
import type { RingView } from './ring-view.ts';
import { chmpxTime, statusCode, statusText, type Status } from './status.ts';

/** What a report is about. */
export interface Report {
  configuration: Configuration;
  status: Readonly<Status>;
  view: RingView;
  /** The slaves that are connected. */
  slaves: readonly Hello[];
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

/** When this node's own status last changed, milliseconds since the epoch. */
export function updatedOf({ configuration, view, started }: Report): number {
  return view.find(nodeId(configuration, configuration.self))?.updated ?? started * 1000;
}

/** The time of the last change, as chmpx writes it. */
function lastUpdate(updated: number): string {
  const at = new Date(updated);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  const time = `${pad(at.getHours())}h ${pad(at.getMinutes())}m ${pad(at.getSeconds())}s`;
  return `${day} ${time} ${at.getMilliseconds()}ms 0us(${chmpxTime(updated)})`;
}

/** A hash value as the control port prints it. */
function hashValue(hash: number | undefined): string {
  return hash === undefined ? '0xffffffffffffffff' : `0x${hash.toString(16)}`;
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
  const { configuration, status, view, slaves } = report;
  const { self, numbers, mode } = configuration;
  const id = nodeId(configuration, self);
  const isSlave = mode === 'SLAVE';
  return `Server Name               = ${self.name}
Internal ID               = 0x${id}
RING Name                 = ${configuration.group}
Mode                      = ${isSlave ? 'Slave' : 'Server'}
Maximum MQ Count          = ${numbers.MAXMQSERVER + numbers.MAXMQCLIENT}
Maximum Queue / Chmpx MQ  = ${numbers.MAXQPERSERVERMQ}
Maximum Queue / Client MQ = ${numbers.MAXQPERCLIENTMQ}
Status                    = {
    Server Status         = ${statusCode(status)}(${statusText(status)})
    Last Update           = ${lastUpdate(updatedOf(report))}
}
Hash                      = {
    Enable Hash Value     = ${hashValue(view.hashOf(id, 'base'))}
    Pending Hash Value    = ${hashValue(view.hashOf(id, 'pending'))}
}
Connection                = {
    Port(socket)          = ${self.port}(${isSlave ? 'n/a' : 9})
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
    From Slaves           = ${slaves.length}
    On Control port       = 1
}
Stats                     = {
${stats('To(From) Servers')}${stats('To(From) Slaves')}}
`;
}

/** Answer to ALLSTATUS: servers only. */
export function allStatus(report: Report): string {
  const blocks = report.view.members.map(({ id, server, status, updated }, index) => {
    const base = hashValue(report.view.hashOf(id, 'base'));
    const pending = hashValue(report.view.hashOf(id, 'pending'));
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
    Last Update        = ${lastUpdate(updated)}
    Enable Hash Value  = ${base}
    Pending Hash Value = ${pending}
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
