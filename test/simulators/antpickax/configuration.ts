import { readGlobal, type Global } from './global-section.ts';
import { ownName } from './hosts.ts';
import { parseIni, port, type Section } from './ini.ts';

/** A `[SVRNODE]`. */
export interface ServerNode {
  /** As chmpx names it: the machine's own address where the ini says 127.0.0.1. */
  name: string;
  local: boolean;
  port: number;
  ctlport: number;
  cuk: string;
  seed: string;
}

/** A configuration that chmpx starts with. */
export interface Configuration extends Global {
  /** In the order of the ring: by name, then control port, not as in the file. */
  servers: ServerNode[];
  self: ServerNode;
}

/** Which node of the file is meant, when the command line says it. */
export interface Self {
  ctlport?: string | undefined;
  cuk?: string | undefined;
}

/** A configuration that is refused; the lines are what `-d err` shows. */
export class Refused extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines[0] ?? 'refused');
    this.lines = lines;
  }
}

/** Refuses a file whose name chmpx does not take (chmpx-k2hdkc contract, sections 3 and 8). */
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
  const servers = await readServers(sections, global);
  if (servers.length === 0) throw problem('does not have [SVRNODE] section.');
  if (!sections.some((one) => one.name === 'SLVNODE')) {
    throw problem('does not have [SLVNODE] section.');
  }
  if (global.idType === 'CUSTOM' && servers.some((one) => one.seed === '')) {
    throw new Refused([`CheckUpdate(0) : Failed to load configuration from ${file}`]);
  }
  const ctlport = given.ctlport === undefined ? global.selfCtlport : port(given.ctlport);
  const cuk = given.cuk ?? global.selfCuk;
  const self = servers.find((one) => one.local && one.ctlport === ctlport && one.cuk === cuk);
  const where = `self control port(${ctlport})`;
  if (global.mode === 'SLAVE') {
    throw problem(
      self === undefined
        ? 'is for a slave, which this stand-in does not play.'
        : `have "MODE" as slave mode in [GLOBAL] section, but ${where} found in server list.`,
    );
  }
  if (self === undefined) {
    throw problem(
      `have "MODE" as server mode in [GLOBAL] section, but ${where} not found in server list.`,
    );
  }
  return { ...global, servers, self };
}

/** All servers; of two with the same name and control port the later keys win. */
async function readServers(sections: readonly Section[], global: Global): Promise<ServerNode[]> {
  const merged = new Map<string, ServerNode>();
  for (const { name, values } of sections) {
    const host = values.get('NAME');
    if (name !== 'SVRNODE' || host === undefined || host === '') continue;
    const own = await ownName(host);
    const ctlport = values.has('CTLPORT') ? port(values.get('CTLPORT') ?? '') : global.ctlport;
    const key = `${own ?? host} ${ctlport}`;
    const before = merged.get(key);
    merged.set(key, {
      name: own ?? host,
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
