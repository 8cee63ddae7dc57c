import { createHash } from 'node:crypto';
import { readGlobal, type Global } from './global-section.ts';
import { otherName, ownName } from './hosts.ts';
import { parseIni, port, type Section } from './ini.ts';

/** A `[SVRNODE]`, or the `[SLVNODE]` that this node is. */
export interface ServerNode {
  /** As chmpx names it: the machine's own address where the ini says 127.0.0.1. */
  name: string;
  local: boolean;
  /** -1 for a slave. */
  port: number;
  ctlport: number;
  cuk: string;
  seed: string;
}

/** A `[SLVNODE]` as a server reads it. */
export interface SlaveNode {
  ctlport: number;
  /** Can be a regular expression. */
  cuk: string;
}

/** A configuration that chmpx starts with. */
export interface Configuration extends Global {
  /** In the order of the ring: by name, then control port, not as in the file. */
  servers: ServerNode[];
  slaves: SlaveNode[];
  self: ServerNode;
}

/** A name of a node, always the same for the same group and id; chmpx prints it in hex. */
export function nodeId(
  { group, idType }: Global,
  { name, ctlport, cuk, seed }: Pick<ServerNode, 'name' | 'ctlport' | 'cuk' | 'seed'>,
): string {
  const ids: Record<string, string> = { CUSTOM: seed, CUK: cuk };
  const id = ids[idType] ?? `${name}:${ctlport}`;
  return createHash('sha1').update(`${group} ${id}`).digest('hex').slice(0, 16);
}

/** Whether an ini lists a slave; which name it goes by is not looked at. */
export function listsSlave(
  { slaves }: Pick<Configuration, 'slaves'>,
  { ctlport, cuk }: Pick<ServerNode, 'ctlport' | 'cuk'>,
): boolean {
  return slaves.some((one) => one.ctlport === ctlport && new RegExp(`^(?:${one.cuk})$`).test(cuk));
}

/** Which node of the file is meant, when the command line says it. */
export interface Self {
  ctlport?: string | undefined;
  cuk?: string | undefined;
  /** See `ownName`. */
  address?: string | undefined;
}

/** A configuration that is refused; the lines are what `-d err` shows. */
export class Refused extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines[0] ?? 'refused');
    this.lines = lines;
  }
}

/** Refuses a file whose name chmpx does not take (docs/contracts/ini.md, 1.1 and 4). */
export function checkFileName(file: string, exists: boolean): void {
  const unknown = `GetCHMConf(0) : configuration "${file}" is unknown type.`;
  if (!exists) {
    throw new Refused([
      `check_chmconf_type_ex(0) : configuration file ${file} is not existed.`,
      unknown,
    ]);
  }
  if (!file.endsWith('.ini')) {
    throw new Refused([
      `check_chmconf_type_ex(0) : configuration file ${file} extension is unknown(should be .ini .json .yaml).`,
      unknown,
    ]);
  }
}

/** Reads the content of an ini as chmpx does. Throws Refused. */
export async function readConfiguration(
  file: string,
  text: string,
  given: Self,
): Promise<Configuration> {
  const problem = (what: string): Refused =>
    new Refused([
      `LoadConfiguration(0) : configuration file(${file}) ${what}`,
      `CheckUpdate(0) : Failed to load configuration from ${file}, thus this is fatal error.`,
    ]);
  const sections = parseIni(text);
  const global = readGlobal(sections, problem);
  const servers = await readNodes(sections, 'SVRNODE', global, given.address);
  if (servers.length === 0) throw problem('does not have [SVRNODE] section.');
  if (!sections.some((one) => one.name === 'SLVNODE')) {
    throw problem('does not have [SLVNODE] section.');
  }
  if (global.idType === 'CUSTOM' && servers.some((one) => one.seed === '')) {
    throw new Refused([`CheckUpdate(0) : Failed to load configuration from ${file}`]);
  }
  const slaves = sections
    .filter(({ name }) => name === 'SLVNODE')
    .map(({ values }) => ({
      ctlport: values.has('CTLPORT') ? port(values.get('CTLPORT') ?? '') : global.ctlport,
      cuk: values.get('CUK') ?? '',
    }));
  const ctlport = given.ctlport === undefined ? global.selfCtlport : port(given.ctlport);
  const cuk = given.cuk ?? global.selfCuk;
  const isSelf = (one: ServerNode): boolean =>
    one.local && one.ctlport === ctlport && one.cuk === cuk;
  const where = `self control port(${ctlport})`;
  const asServer = servers.find(isSelf);
  if (global.mode !== 'SLAVE') {
    if (asServer !== undefined) return { ...global, servers, slaves, self: asServer };
    throw problem(
      `have "MODE" as server mode in [GLOBAL] section, but ${where} not found in server list.`,
    );
  }
  const asSlaves = await readNodes(sections, 'SLVNODE', global, given.address);
  const self = asSlaves.find(isSelf);
  if (asServer !== undefined || self === undefined) {
    const found = asServer === undefined ? 'not found in slave list' : 'found in server list';
    throw problem(`have "MODE" as slave mode in [GLOBAL] section, but ${where} ${found}.`);
  }
  return { ...global, servers, slaves, self: { ...self, port: -1 } };
}

/** All nodes of a kind; of two with the same name and control port the later keys win. */
async function readNodes(
  sections: readonly Section[],
  kind: 'SVRNODE' | 'SLVNODE',
  global: Global,
  address: string | undefined,
): Promise<ServerNode[]> {
  const merged = new Map<string, ServerNode>();
  for (const { name, values } of sections) {
    const host = values.get('NAME');
    if (name !== kind || host === undefined || host === '') continue;
    const own = await ownName(host, address);
    const ctlport = values.has('CTLPORT') ? port(values.get('CTLPORT') ?? '') : global.ctlport;
    const known = own ?? (address === undefined ? otherName(host) : host);
    const key = `${known} ${ctlport}`;
    const before = merged.get(key);
    merged.set(key, {
      name: known,
      local: own !== undefined,
      port: values.has('PORT') ? port(values.get('PORT') ?? '') : (before?.port ?? global.port),
      ctlport,
      cuk: values.get('CUK') ?? before?.cuk ?? '',
      seed: values.get('CUSTOM_ID_SEED') ?? before?.seed ?? '',
    });
  }
  return [...merged.values()].sort(
    (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) || a.ctlport - b.ctlport,
  );
}
