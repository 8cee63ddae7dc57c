import type { Cluster, HostRecord } from './store.ts';

/**
 * The ini that K2HR3 makes of the cluster's template, line for line as it was captured: each
 * template statement leaves a line of its own indentation behind (docs/contracts/k2hr3.md, 3.2).
 * The comments are ours; the real answer has comments in the same places.
 */
export function roleResource(
  cluster: Cluster,
  mode: 'SERVER' | 'SLAVE',
  servers: HostRecord[],
  slaves: HostRecord[],
): string {
  return [
    comment('Expanded by the K2HR3 stand-in'),
    '\n',
    globalSection(cluster, mode),
    '\n',
    comment('Servers'),
    servers.map((host) => `\n    \n${serverSection(cluster, host)}`).join(''),
    '\n\n',
    comment('Slaves'),
    '\n',
    slaves.length === 0 ? noSlave(cluster) : slaveSections(cluster, slaves),
    '\n\n',
    mode === 'SERVER' ? `\n${comment('Database')}${databaseSection(cluster)}` : '',
    '\n\n',
    comment('End'),
  ].join('');
}

function comment(text: string): string {
  return `#\n# ${text}\n#\n`;
}

function lines(pairs: [string, string | number][]): string {
  return pairs.map(([key, value]) => `${key.padEnd(20)}= ${value}\n`).join('');
}

function globalSection(cluster: Cluster, mode: 'SERVER' | 'SLAVE'): string {
  const control = mode === 'SERVER' ? cluster.serverControlPort : cluster.slaveControlPort;
  return [
    comment('Global'),
    '[GLOBAL]\n',
    lines([
      ['FILEVERSION', 1],
      ['DATE', 'Thu, 28 May 2020 04:56:20  0000'],
      ['GROUP', cluster.cluster],
      ['MODE', mode],
      ['CHMPXIDTYPE', 'CUSTOM'],
      ['DELIVERMODE', 'hash'],
      ['MAXCHMPX', 256],
      ['REPLICA', cluster.replica ?? 1],
      ['MAXMQSERVER', 8],
      ['MAXMQCLIENT', 128],
      ['MQPERATTACH', 8],
      ['MAXQPERSERVERMQ', 8],
      ['MAXQPERCLIENTMQ', 8],
      ['MAXMQPERCLIENT', 16],
      ['MAXHISTLOG', 0],
    ]),
    '\n',
    mode === 'SERVER' ? lines([['PORT', cluster.serverPort]]) : '',
    lines([
      ['CTLPORT', control],
      ['SELFCTLPORT', control],
    ]),
    '\n',
    lines([
      ['SELFCUK', '__SELF_INSTANCE_ID__'],
      ['RWTIMEOUT', 10000],
      ['RETRYCNT', 500],
      ['CONTIMEOUT', 1000],
      ['MQRWTIMEOUT', 500],
      ['MQRETRYCNT', 10000],
      ['MQACK', 'no'],
      ['AUTOMERGE', 'on'],
      ['DOMERGE', 'on'],
      ['MERGETIMEOUT', 0],
      ['SOCKTHREADCNT', 8],
      ['MQTHREADCNT', 8],
      ['MAXSOCKPOOL', 16],
      ['SOCKPOOLTIMEOUT', 0],
      ['SSL', 'no'],
      ['K2HFULLMAP', 'on'],
      ['K2HMASKBIT', 4],
      ['K2HCMASKBIT', 8],
      ['K2HMAXELE', 16],
    ]),
  ].join('');
}

function serverSection(cluster: Cluster, host: HostRecord): string {
  const section = lines([
    ['NAME', host.tag],
    ['CUK', host.cuk],
    ['PORT', cluster.serverPort],
    ['CTLPORT', cluster.serverControlPort],
    ['CUSTOM_ID_SEED', host.tag],
    ['SSL', 'no'],
  ]);
  const inbound: [string, string][] = [
    ['ENDPOINTS', `${host.inboundip}:${cluster.serverPort}`],
    ['CTLENDPOINTS', `${host.inboundip}:${cluster.serverControlPort}`],
    ['REVERSE_PEERS', host.inboundip],
  ];
  return `[SVRNODE]\n${section}${behindNat(host, inbound, '    ')}`;
}

function slaveSections(cluster: Cluster, slaves: HostRecord[]): string {
  const sections = slaves.map((host) => {
    const section = lines([
      ['NAME', host.tag],
      ['CUK', host.cuk],
      ['CTLPORT', cluster.slaveControlPort],
      ['CUSTOM_ID_SEED', host.tag],
      ['SSL', 'no'],
    ]);
    const inbound: [string, string][] = [
      ['CTLENDPOINTS', `${host.inboundip}:${cluster.slaveControlPort}`],
      ['REVERSE_PEERS', host.inboundip],
    ];
    return `    \n        \n[SLVNODE]\n${section}${behindNat(host, inbound, '        ')}`;
  });
  return `${sections.join('')}    \n`;
}

/** The two `if` blocks at the end of a node: what is left of one that does not apply is a line. */
function behindNat(host: HostRecord, inbound: [string, string][], indent: string): string {
  const block = (address: string, pairs: [string, string][]): string =>
    address === '' ? `${indent}\n` : `${indent}\n${lines(pairs)}${indent}\n`;
  return (
    block(host.inboundip, inbound) + block(host.outboundip, [['FORWARD_PEERS', host.outboundip]])
  );
}

function noSlave(cluster: Cluster): string {
  const section = lines([
    ['NAME', '127.0.0.1'],
    ['CUK', 'dummy_cuk'],
    ['CTLPORT', cluster.slaveControlPort],
    ['SSL', 'no'],
  ]);
  return `${comment('No slave: a placeholder')}[SLVNODE]\n${section}`;
}

function databaseSection(cluster: Cluster): string {
  return `[K2HDKC]\n${lines([
    ['K2HTYPE', 'file'],
    ['K2HFILE', cluster.k2hFile],
    ['K2HFULLMAP', 'on'],
    ['K2HINIT', 'no'],
    ['K2HMASKBIT', 8],
    ['K2HCMASKBIT', 8],
    ['K2HMAXELE', 32],
    ['K2HPAGESIZE', 512],
    ['MAXTHREAD', 20],
  ])}`;
}
