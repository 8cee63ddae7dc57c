import { readIniText, type IniSection } from './ini-text.ts';
import { isSectionName, KEYS, keySpec, type Scalar, type SectionName } from '../model/keys.ts';
import {
  inRingOrder,
  type ClusterModel,
  type GlobalPart,
  type ServerNode,
  type SlaveNode,
} from '../model/model.ts';
import { firstProblems, notSane, shown, type Problem } from '../model/problems.ts';
import { readValue } from '../model/values.ts';

/** A role's data as a model, or every reason why it is none. */
export type RoleReading = { ok: true; model: ClusterModel } | { ok: false; problems: Problem[] };

/**
 * Reads the text of an expanded role resource (or of an ini that this agent wrote) into the model.
 * It is other people's input: only known sections and keys, once each, with values of their kind,
 * get through (docs/contracts/k2hr3.md, 2.4 and 8.4). Whether the model fits this node is
 * `validateRole`'s question.
 */
export function parseRole(text: string): RoleReading {
  const problems: Problem[] = [];
  if (/\{\{|\}\}/.test(text))
    problems.push(notSane('the template was not expanded: it has {{ or }}'));
  const { sections, faults } = readIniText(text);
  for (const fault of faults) problems.push(notSane(`line ${fault.line}: ${fault.text}`));
  return modelOf(sections, problems);
}

/** The model that these blocks make; `found` is what is wrong with their text already. */
export function modelOf(sections: readonly IniSection[], found: readonly Problem[]): RoleReading {
  const problems = [...found];
  const parts = sections.flatMap((section) => readPart(section, problems));
  const model = build(parts, problems);
  if (model === undefined || problems.length > 0) {
    return { ok: false, problems: firstProblems(problems) };
  }
  return { ok: true, model };
}

/** One section with its keys checked; what is left after `take` are the settings. */
interface Part {
  section: SectionName;
  line: number;
  values: Map<string, Scalar>;
}

function readPart({ name, line, entries }: IniSection, problems: Problem[]): Part[] {
  if (!isSectionName(name)) {
    problems.push(notSane(`line ${line}: section ${shown(name)} is not known`));
    return [];
  }
  const values = new Map<string, Scalar>();
  for (const [key, text] of entries) {
    const spec = keySpec(name, key);
    if (spec === undefined) {
      problems.push(notSane(`[${name}] of line ${line}: key ${shown(key)} is not known there`));
      continue;
    }
    if (text === '' && spec.required === undefined) continue; // as good as not given
    const reading = readValue(spec.kind, text);
    if (reading.ok) values.set(key, reading.value);
    else
      problems.push(notSane(`[${name}] of line ${line}: ${key} = ${shown(text)} ${reading.fault}`));
  }
  for (const { name: key, required } of KEYS[name]) {
    if (required && !entries.has(key)) {
      problems.push(notSane(`[${name}] of line ${line}: ${key} is missing`));
    }
  }
  return [{ section: name, line, values }];
}

function build(parts: readonly Part[], problems: Problem[]): ClusterModel | undefined {
  const all = (section: SectionName): Part[] => parts.filter((part) => part.section === section);
  const [global, ...globals] = all('GLOBAL');
  const [k2hdkc, ...k2hdkcs] = all('K2HDKC');
  for (const extra of [...globals, ...k2hdkcs]) {
    problems.push(notSane(`line ${extra.line}: there is a second [${extra.section}]`));
  }
  if (global === undefined) {
    problems.push(notSane('there is no [GLOBAL]'));
    return undefined;
  }
  const ports = global.values;
  const servers = all('SVRNODE').map((part) => server(part, ports, problems));
  const slaves = all('SLVNODE').map((part) => slave(part, ports, problems));
  return {
    global: globalPart(global),
    servers: inRingOrder(servers),
    slaves: inRingOrder(slaves),
    k2hdkc: k2hdkc?.values,
  };
}

// A required key that is missing or wrong is already a problem, so that the model is not used: the
// empty values below only keep its type.

function globalPart({ values }: Part): GlobalPart {
  const settings = new Map(values);
  return {
    group: takeText(settings, 'GROUP') ?? '',
    mode: takeText(settings, 'MODE') ?? '',
    idType: takeText(settings, 'CHMPXIDTYPE') ?? '',
    selfControlPort: takeNumber(settings, 'SELFCTLPORT') ?? 0,
    selfCuk: takeText(settings, 'SELFCUK') ?? '',
    settings,
  };
}

function server(part: Part, ports: Part['values'], problems: Problem[]): ServerNode {
  const settings = new Map(part.values);
  const port = portOf('PORT', settings, ports, part, problems);
  const node = nodeOf(settings, part, ports, problems);
  return { ...node, cuk: node.cuk ?? '', port };
}

function slave(part: Part, ports: Part['values'], problems: Problem[]): SlaveNode {
  return nodeOf(new Map(part.values), part, ports, problems);
}

/** Takes the fields of a node out of `settings`, which become those of the node. */
function nodeOf(
  settings: Map<string, Scalar>,
  part: Part,
  ports: Part['values'],
  problems: Problem[],
): SlaveNode {
  const cuk = takeText(settings, 'CUK');
  const seed = takeText(settings, 'CUSTOM_ID_SEED');
  return {
    name: takeText(settings, 'NAME') ?? '',
    controlPort: portOf('CTLPORT', settings, ports, part, problems),
    ...(cuk === undefined ? {} : { cuk }),
    ...(seed === undefined ? {} : { seed }),
    settings,
  };
}

/** A node's own port, or that of `[GLOBAL]`. */
function portOf(
  key: 'PORT' | 'CTLPORT',
  own: Map<string, Scalar>,
  global: Part['values'],
  { section, line }: Part,
  problems: Problem[],
): number {
  const port = takeNumber(own, key) ?? takeNumber(new Map(global), key);
  if (port === undefined) {
    problems.push(notSane(`[${section}] of line ${line}: no ${key} here or in [GLOBAL]`));
  }
  return port ?? 0;
}

function takeText(values: Map<string, Scalar>, key: string): string | undefined {
  const value = values.get(key);
  values.delete(key);
  return typeof value === 'string' ? value : undefined;
}

function takeNumber(values: Map<string, Scalar>, key: string): number | undefined {
  const value = values.get(key);
  values.delete(key);
  return typeof value === 'number' ? value : undefined;
}
