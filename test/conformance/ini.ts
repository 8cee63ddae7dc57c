/** What an ini of a test's node names. */
export interface NodeFacts {
  group: string;
  port: number;
  ctlport: number;
  /** Path of the k2h file. */
  k2hFile: string;
}

/** CUK and CUSTOM_ID_SEED of the node under test. */
export const CUK = 'cuk-self';
export const SEED = 'seed-self';

/** The ini of the DBaaS template for one server, with a k2h file of 132 kB instead of 292 MB. */
export function iniText({ group, port, ctlport, k2hFile }: NodeFacts): string {
  return `[GLOBAL]
FILEVERSION = 1
DATE = Thu, 28 May 2020 04:56:20 +0000
GROUP = ${group}
MODE = SERVER
CHMPXIDTYPE = CUSTOM
DELIVERMODE = hash
MAXCHMPX = 256
REPLICA = 1
MAXMQSERVER = 8
MAXMQCLIENT = 128
MQPERATTACH = 8
MAXQPERSERVERMQ = 8
MAXQPERCLIENTMQ = 8
MAXMQPERCLIENT = 16
MAXHISTLOG = 0
PORT = ${port}
CTLPORT = ${ctlport}
SELFCTLPORT = ${ctlport}
SELFCUK = ${CUK}
RWTIMEOUT = 10000
RETRYCNT = 500
CONTIMEOUT = 1000
MQRWTIMEOUT = 500
MQRETRYCNT = 10000
MQACK = no
AUTOMERGE = on
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

${serverNode(CUK, port, ctlport, SEED)}
[SLVNODE]
NAME = 127.0.0.1
CUK = dummy
CTLPORT = ${port}
SSL = no

[K2HDKC]
K2HTYPE = file
K2HFILE = ${k2hFile}
K2HFULLMAP = on
K2HINIT = no
K2HMASKBIT = 2
K2HCMASKBIT = 2
K2HMAXELE = 2
K2HPAGESIZE = 512
MAXTHREAD = 20
`;
}

/** One `[SVRNODE]` on this machine. */
export function serverNode(cuk: string, port: number, ctlport: number, seed: string): string {
  return `[SVRNODE]
NAME = 127.0.0.1
CUK = ${cuk}
PORT = ${port}
CTLPORT = ${ctlport}
CUSTOM_ID_SEED = ${seed}
SSL = no
`;
}

/** The ini with one more server, which nobody runs. */
export function withServer(ini: string, ctlport: number): string {
  const other = serverNode('cuk-other', ctlport, ctlport, 'seed-other');
  return ini.replace('[SLVNODE]', `${other}\n[SLVNODE]`);
}
