import { allStatus, dump, selfStatus, version, type Report } from './control-report.ts';
import {
  abortMerge,
  completeMerge,
  enter,
  leave,
  merge,
  noServer,
  success,
  suspendMerge,
  type Answer,
} from './merge-commands.ts';
import type { Ring } from './ring.ts';

/** Answers one command of the control port (docs/contracts/chmpx.md, 3.2). */
export async function execute(line: string, ring: Ring, report: Report): Promise<Answer> {
  const [command = '', parameter] = line.trim().split(/[ \t]+/, 2);
  const { node } = ring;
  switch (command.toUpperCase()) {
    case 'VERSION':
      return { text: version };
    case 'SELFSTATUS':
      return { text: selfStatus(report) };
    case 'ALLSTATUS':
      return { text: allStatus(report) };
    case 'DUMP':
      return { text: dump(report) };
    case 'SERVICEIN':
      return ring.isSlave ? { text: onSlave } : enter(node);
    case 'SERVICEOUT':
      return serviceOut(parameter ?? '', ring, report);
    case 'MERGE':
      return merge(node);
    case 'COMPMERGE':
      return completeMerge(node);
    case 'ABORTMERGE':
      return abortMerge(node);
    case 'SUSPENDMERGE':
      return suspendMerge(node, true);
    case 'NOSUSPENDMERGE':
      return suspendMerge(node, false);
    case 'UPDATESTATUS':
      return { text: ring.alone ? noServer : success };
    case 'TRACE':
      return { text: trace(parameter) };
    case 'TRACEVIEW':
      return { text: 'ERROR: Now trace count is 0.' };
    default:
      return { text: `Unknown command(${command})` };
  }
}

const onSlave = 'ERROR: The command can not be executed on the slave node.';

function trace(parameter: string | undefined): string {
  return parameter === undefined
    ? 'ERROR: TRACE command must have parameter as enable/disable.(ex: "TRACE enable")'
    : 'ERROR: Failed to set TRACE enable/disable.';
}

/**
 * SERVICEOUT host:ctlport:id. What has to match depends on CHMPXIDTYPE: with CUSTOM only the
 * third part counts, and it must be the CUSTOM_ID_SEED; host and port are not looked at.
 */
async function serviceOut(
  parameter: string,
  ring: Ring,
  { configuration }: Report,
): Promise<Answer> {
  const { idType, self } = configuration;
  // An IPv6 address is taken apart too, and is then too many parts.
  const parts = parameter.split(':');
  const [host = '', ctlport = '', id = ''] = parts;
  const byName = idType === 'NAME';
  if (ctlport === '' || parts.length > 3 || (!byName && id === '')) {
    return {
      text: 'ERROR: SERVICEOUT command must have parameter as server/ctlport.(ex: "SERVICEOUT servername.fqdn:ctlport")',
    };
  }
  const target = ring.view.members.find(({ server }) => {
    if (byName) return server.name === host && server.ctlport === Number(ctlport);
    return id === (idType === 'CUSTOM' ? server.seed : server.cuk);
  });
  if (target === undefined) return { text: 'ERROR: There is no such as server.' };
  if (target.server === self) return leave(ring.node);
  return { text: await ring.expel(target) };
}
