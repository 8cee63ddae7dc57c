import type { NetworkStatus, StatusDocument } from '../node/status-document.ts';

/** A status document as a person reads it: the most important first, in a few lines. */
export function statusText(document: StatusDocument, now: number): string {
  const { node, mode, trove, programs, role, ring, concerns, agent, network } = document;
  const told = trove === null ? '' : `, Trove is told "${trove}"`;
  const step = node.step === node.state ? '' : ` (${node.step})`;
  const lines = [
    `this ${mode}: ${node.state} for ${ago(node.since, now)}${step}${told}`,
    `chmpx ${pid(programs.chmpx)}${mode === 'slave' ? '' : `, k2hdkc ${pid(programs.k2hdkc)}`}, agent ${agent.version} pid ${agent.pid} for ${ago(agent.since, now)}`,
    networkText(network),
    role.problem === null ? '' : `K2HR3: ${role.problem}`,
    ring === null
      ? 'ring: chmpx does not run'
      : `ring ${ring.group}, ${ring.servers.length} servers (${role.servers} in the role):`,
    ...(ring?.servers ?? []).map(
      ({ name, status, self }) => `  ${status} ${name}${self ? ' (this node)' : ''}`,
    ),
    concerns.length === 0 ? 'nothing concerns you' : `CONCERNS: ${concerns.length}`,
    ...concerns.map(
      ({ kind, since, text }) => `  ${kind} since ${since} (${ago(since, now)}): ${text}`,
    ),
  ];
  return lines
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('');
}

/** Of the only network nothing is to be said. A file of an earlier agent does not name it. */
function networkText(network: NetworkStatus | null | undefined): string {
  if (network == null) return '';
  const { kind, addresses, why, registered, problem } = network;
  if (problem !== null) return `NO NETWORK for the ring: ${problem}`;
  if (kind === 'only' && addresses.length < 2) return '';
  const where = addresses.map(({ address, port }) => `${address} on ${port}`).join(', ');
  const from = registered?.from == null ? '' : ` from ${registered.from}`;
  const known = registered === null ? '' : `; registered as ${registered.name}${from}`;
  return `network of the ring: ${kind === 'cidr' || kind === 'only' ? '' : `${kind}, `}${where} (${why})${known}`;
}

function pid(number: number | null): string {
  return number === null ? 'not running' : `pid ${number}`;
}

/** `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
function ago(since: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(since)) / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 120) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min`;
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
