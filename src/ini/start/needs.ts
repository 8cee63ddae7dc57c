import path from 'node:path';
import { effective, serverOf, type ClusterModel, type Settings } from '../model/model.ts';
import type { SectionName } from '../model/keys.ts';

/** A file that chmpx or k2hdkc makes at its start, in full: none of them is sparse. */
export interface NeededFile {
  file: string;
  bytes: number;
}

/** What chmpx and k2hdkc need of a VM before they can start with an ini. */
export interface StartNeeds {
  /** Where chmpx listens. */
  ports: number[];
  /** The most messages that one of the POSIX message queues may hold. */
  queueMessages: number;
  /** What chmpx asks of fs.mqueue.msg_max when it does not run as root. */
  queueMessagesUnprivileged: number;
  /** Bytes of message queues, as the kernel counts them against RLIMIT_MSGQUEUE. */
  queueBytes: number;
  /** File descriptors: a socket for each node and client, the queues, and some. */
  openFiles: number;
  /** The shared memory of chmpx and its message store: `GROUP-CTLPORT.chmpx` and `.k2h`. */
  shared: NeededFile[];
  /** K2HFILE; null when k2hdkc keeps no file. */
  data: NeededFile | null;
}

/** A message in a queue of the kernel costs two structures of 48 bytes, and 8 are its content. */
const QUEUE_MESSAGE_BYTES = 48 + 48 + 8;
/** chmpx gives its message store pages of one memory page each. */
const MEMORY_PAGE = 4096;

/**
 * What the node of this CUK needs. Sizes are those that chmpx 1.0.113 and k2hash 1.0.99 really make
 * (to the byte: 7,094,936 and 136,175,616 for the stock template, 298,905,600 for its K2HFILE).
 *
 * @param sharedDirectory where chmpx has its files.
 */
export function startNeeds(model: ClusterModel, cuk: string, sharedDirectory: string): StartNeeds {
  const { group, selfControlPort, settings } = model.global;
  const self = serverOf(model, cuk);
  const of = (key: string): number => Number(effective('GLOBAL', settings, key));
  const queues = of('MAXMQSERVER') + of('MAXMQCLIENT');
  const perServerQueue = of('MAXQPERSERVERMQ');
  const perClientQueue = of('MAXQPERCLIENTMQ');
  const base = path.join(sharedDirectory, `${group}-${selfControlPort}`);
  const store = k2hBytes('GLOBAL', settings, MEMORY_PAGE);
  return {
    ports: self ? [self.port, self.controlPort] : [],
    queueMessages: Math.max(perServerQueue, perClientQueue),
    queueMessagesUnprivileged: queues,
    queueBytes:
      QUEUE_MESSAGE_BYTES *
      (of('MAXMQSERVER') * perServerQueue + of('MQPERATTACH') * perClientQueue),
    openFiles: 64 + of('MAXCHMPX') + queues,
    shared: [
      { file: `${base}.chmpx`, bytes: sharedMemoryBytes(of) },
      { file: `${base}.k2h`, bytes: store },
    ],
    data: dataFile(model.k2hdkc),
  };
}

/** Sums the structures of chmpx's shared memory, as chmpx does (its sizes on a 64-bit machine). */
function sharedMemoryBytes(of: (key: string) => number): number {
  const nodes = of('MAXCHMPX');
  const attached = 2 + Math.floor(of('MAXMQCLIENT') / of('MQPERATTACH'));
  return (
    34_792 +
    nodes * (26_776 + 2 * 8 + 2 * 24 * of('MAXSOCKPOOL')) +
    32 * (of('MAXMQSERVER') + of('MAXMQCLIENT')) +
    24 * attached +
    48 * of('MAXHISTLOG')
  );
}

function dataFile(k2hdkc: Settings | undefined): NeededFile | null {
  const file = k2hdkc?.get('K2HFILE');
  if (!k2hdkc || k2hdkc.get('K2HTYPE') !== 'file' || typeof file !== 'string') return null;
  const page = Number(effective('K2HDKC', k2hdkc, 'K2HPAGESIZE'));
  return { file, bytes: k2hBytes('K2HDKC', k2hdkc, page) };
}

/**
 * A new k2h file: a header, 32 bytes for each key, and for each of its collision keys 4 elements and
 * 8 pages. Each part is a whole number of memory pages.
 */
function k2hBytes(section: SectionName, settings: Settings, page: number): number {
  const bits = (key: string): number => Number(effective(section, settings, key));
  const keys = 2 ** bits('K2HMASKBIT');
  const collisionKeys = keys * 2 ** bits('K2HCMASKBIT');
  return 53_248 + wholePages(32 * keys) + wholePages((464 + 8 * page) * collisionKeys);
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / MEMORY_PAGE) * MEMORY_PAGE;
}
