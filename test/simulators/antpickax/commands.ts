import { allStatus, dump, selfStatus, version, type Report } from './control-report.ts';
import type { Answer, RingNode } from './ring-node.ts';

/** Answers one command of the control port (chmpx-k2hdkc contract, section 2). */
export function execute(line: string, node: RingNode, report: Report): Answer {
  const [command = '', parameter] = line.trim().split(/[ \t]+/, 2);
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
      return node.serviceIn();
    case 'SERVICEOUT':
      return serviceOut(parameter ?? '', node, report);
    case 'MERGE':
      return node.merge();
    case 'COMPMERGE':
      return node.completeMerge();
    case 'ABORTMERGE':
      return node.abortMerge();
    case 'SUSPENDMERGE':
      return node.suspendMerge(true);
    case 'NOSUSPENDMERGE':
      return node.suspendMerge(false);
    case 'UPDATESTATUS':
      return { text: 'SUCCEED: There no server on RING.' };
    case 'TRACE':
      return { text: trace(parameter) };
    case 'TRACEVIEW':
      return { text: 'ERROR: Now trace count is 0.' };
    default:
      return { text: `Unknown command(${command})` };
  }
}

function trace(parameter: string | undefined): string {
  return parameter === undefined
    ? 'ERROR: TRACE command must have parameter as enable/disable.(ex: "TRACE enable")'
    : 'ERROR: Failed to set TRACE enable/disable.';
}

/**
 * SERVICEOUT host:ctlport:id. What has to match depends on CHMPXIDTYPE: with CUSTOM only the
 * third part counts, and it must be the CUSTOM_ID_SEED; host and port are not looked at.
 */
function serviceOut(parameter: string, node: RingNode, { configuration }: Report): Answer {
  const { idType, servers, self } = configuration;
  const [host = '', ctlport = '', id = ''] = parameter.split(':');
  const byName = idType === 'NAME';
  if (host === '' || ctlport === '' || (!byName && id === '')) {
    return {
      text: 'ERROR: SERVICEOUT command must have parameter as server/ctlport.(ex: "SERVICEOUT servername.fqdn:ctlport")',
    };
  }
  const target = servers.find((server) => {
    if (byName) return server.name === host && server.ctlport === Number(ctlport);
    return id === (idType === 'CUSTOM' ? server.seed : server.cuk);
  });
  if (target === undefined) return { text: 'ERROR: There is no such as server.' };
  if (target !== self) return { text: 'SUCCEED: Already server has been SERVICEOUT.' };
  return node.serviceOut();
}
