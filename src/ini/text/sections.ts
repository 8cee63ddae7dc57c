import { readIniText, type IniSection } from './ini-text.ts';
import { isSectionName, KEYS, keySpec, type Scalar, type SectionName } from '../model/keys.ts';
import {
  inRingOrder,
  type ClusterModel,
  type GlobalPart,
  type ServerNode,
  type Settings,
  type SlaveNode,
} from '../model/model.ts';
import { readValue, writeValue } from '../model/values.ts';

/** One `[NAME]` block of an ini: its keys, and their values as this agent writes them. */
export type Section = Pick<IniSection, 'name' | 'entries'>;

/** The blocks of a model: nodes in the order of the ring, keys in the order of the key table. */
export function sectionsOf(model: ClusterModel): (Section & { name: SectionName })[] {
  return [
    sectionOf('GLOBAL', globalValues(model.global)),
    ...inRingOrder(model.servers).map((node) => sectionOf('SVRNODE', serverValues(node))),
    ...inRingOrder(model.slaves).map((node) => sectionOf('SLVNODE', slaveValues(node))),
    ...(model.k2hdkc === undefined ? [] : [sectionOf('K2HDKC', model.k2hdkc)]),
  ];
}

/**
 * The blocks of an ini on disk, which may be somebody else's: never throws. A value is written as
 * this agent writes it, so that `ON` and `yes` are one; what is no value of its key stays as it is.
 */
export function sectionsIn(text: string): Section[] {
  return readIniText(text).sections.map(({ name, entries }) => {
    const written = [...entries].flatMap(([key, value]) => {
      const spec = isSectionName(name) ? keySpec(name, key) : undefined;
      if (spec === undefined) return [[key, value] as const];
      if (value === '' && spec.required === undefined) return []; // as good as not given
      const reading = readValue(spec.kind, value);
      return [[key, reading.ok ? writeValue(reading.value) : value] as const];
    });
    return { name, entries: new Map(written) };
  });
}

function sectionOf(name: SectionName, values: Settings): Section & { name: SectionName } {
  const entries = new Map<string, string>();
  for (const { name: key } of KEYS[name]) {
    const value = values.get(key);
    if (value !== undefined) entries.set(key, writeValue(value));
  }
  return { name, entries };
}

function globalValues(global: GlobalPart): Settings {
  return new Map<string, Scalar>([
    ...global.settings,
    ['GROUP', global.group],
    ['MODE', global.mode],
    ['CHMPXIDTYPE', global.idType],
    ['SELFCTLPORT', global.selfControlPort],
    ['SELFCUK', global.selfCuk],
  ]);
}

function serverValues(node: ServerNode): Settings {
  return new Map<string, Scalar>([...slaveValues(node), ['PORT', node.port]]);
}

function slaveValues(node: SlaveNode): Settings {
  const values = new Map<string, Scalar>([
    ...node.settings,
    ['NAME', node.name],
    ['CTLPORT', node.controlPort],
  ]);
  if (node.cuk !== undefined) values.set('CUK', node.cuk);
  if (node.seed !== undefined) values.set('CUSTOM_ID_SEED', node.seed);
  return values;
}
