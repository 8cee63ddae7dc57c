/** What an ini of a test's node names. */
export interface NodeFacts {
  group: string;
  port: number;
  ctlport: number;
  /** Path of the k2h file. */
  k2hFile: string;
}

/** A node of a ring, as an ini lists it. */
export interface ListedNode {
  name: string;
  /** 0 for a slave. */
  port: number;
  ctlport: number;
  cuk: string;
  seed: string;
}

/** What an ini of a ring says. */
export interface RingFacts {
  group: string;
  self: ListedNode;
  servers: readonly ListedNode[];
  slave: ListedNode;
  replica: number;
  autoMerge: boolean;
  k2hFile: string;
}

/** CUK and CUSTOM_ID_SEED of the node under test. */
export const CUK = 'cuk-self';
export const SEED = 'seed-self';

/** The ini of the DBaaS template for one server, with a k2h file of 132 kB instead of 292 MB. */
export function iniText({ group, port, ctlport, k2hFile }: NodeFacts): string {
  const self = { name: '127.0.0.1', port, ctlport, cuk: CUK, seed: SEED };
  return (
    globalSection({ group, self, replica: 1, autoMerge: true }) +
    `\n${serverSection(self)}
[SLVNODE]
NAME = 127.0.0.1
CUK = dummy
CTLPORT = ${port}
SSL = no
` +
    k2hdkcSection(k2hFile, [2, 2, 2])
  );
}

/** The ini of one node of a ring. */
export function ringIniText(facts: RingFacts): string {
  const { servers, slave, k2hFile } = facts;
  return (
    globalSection(facts) +
    servers.map((one) => `\n${serverSection(one)}`).join('') +
    `
[SLVNODE]
NAME = ${slave.name}
CUK = ${slave.cuk}
CTLPORT = ${slave.ctlport}
CUSTOM_ID_SEED = ${slave.seed}
SSL = no
` +
    k2hdkcSection(k2hFile, [6, 3, 8])
  );
}

/** The ini with one more server, which nobody runs. */
export function withServer(ini: string, ctlport: number): string {
  const other = {
    name: '127.0.0.1',
    port: ctlport,
    ctlport,
    cuk: 'cuk-other',
    seed: 'seed-other',
  };
  return ini.replace('[SLVNODE]', `${serverSection(other)}\n[SLVNODE]`);
}

function serverSection({ name, cuk, port, ctlport, seed }: ListedNode): string {
  return `[SVRNODE]
NAME = ${name}
CUK = ${cuk}
PORT = ${port}
CTLPORT = ${ctlport}
CUSTOM_ID_SEED = ${seed}
SSL = no
`;
}

function globalSection({
  group,
  self,
  replica,
  autoMerge,
}: Pick<RingFacts, 'group' | 'self' | 'replica' | 'autoMerge'>): string {
  return `[GLOBAL]
FILEVERSION = 1
DATE = Thu, 28 May 2020 04:56:20 +0000
GROUP = ${group}
MODE = ${self.port === 0 ? 'SLAVE' : 'SERVER'}
CHMPXIDTYPE = CUSTOM
DELIVERMODE = hash
MAXCHMPX = 256
REPLICA = ${replica}
MAXMQSERVER = 8
MAXMQCLIENT = 128
MQPERATTACH = 8
MAXQPERSERVERMQ = 8
MAXQPERCLIENTMQ = 8
MAXMQPERCLIENT = 16
MAXHISTLOG = 0
PORT = ${self.port || self.ctlport}
CTLPORT = ${self.ctlport}
SELFCTLPORT = ${self.ctlport}
SELFCUK = ${self.cuk}
RWTIMEOUT = 10000
RETRYCNT = 500
CONTIMEOUT = 1000
MQRWTIMEOUT = 500
MQRETRYCNT = 10000
MQACK = no
AUTOMERGE = ${autoMerge ? 'on' : 'off'}
DOMERGE = on
MERGETIMEOUT = 0
SOCKTHREADCNT = 8
MQTHREADCNT = 8
MAXSOCKPOOL = 16
SOCKPOOLTIMEOUT = 0
SSL = no
K2HFULLMAP = on
K2HMASKBIT = 2
K2HCMASKBIT = 2
K2HMAXELE = 2
`;
}

function k2hdkcSection(
  k2hFile: string,
  [maskBit, collisionMaskBit, maxElements]: [number, number, number],
): string {
  return `
[K2HDKC]
K2HTYPE = file
K2HFILE = ${k2hFile}
K2HFULLMAP = on
K2HINIT = no
K2HMASKBIT = ${maskBit}
K2HCMASKBIT = ${collisionMaskBit}
K2HMAXELE = ${maxElements}
K2HPAGESIZE = 512
MAXTHREAD = 20
`;
}
