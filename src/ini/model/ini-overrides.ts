import { ConfigurationError } from '../../base/errors.ts';
import { changedByChmpx, refusedByK2hdkc } from './combinations.ts';
import { KEYS, keySpec, type Scalar, type SectionName } from './keys.ts';
import { effective, type ClusterModel, type Settings, type SlaveNode } from './model.ts';
import { shown } from './problems.ts';
import { whyFixed } from './fixed-keys.ts';
import { readValue } from './values.ts';

/** The four sections as agent.yaml names them. */
const SECTIONS = {
  global: 'GLOBAL',
  server: 'SVRNODE',
  slave: 'SLVNODE',
  k2hdkc: 'K2HDKC',
} as const;
type OverrideName = keyof typeof SECTIONS;
const OVERRIDE_NAMES = Object.keys(SECTIONS) as OverrideName[];

/** What the operator sets in the ini, section by section; every value has been checked. */
export type IniOverrides = Readonly<Record<OverrideName, Settings>>;
/** The same as it stands in agent.yaml, unchecked. */
export type GivenOverrides = Readonly<Record<OverrideName, Readonly<Record<string, Scalar>>>>;

/** Nothing is overridden. */
export const NO_OVERRIDES: IniOverrides = {
  global: new Map(),
  server: new Map(),
  slave: new Map(),
  k2hdkc: new Map(),
};

/**
 * Checks the `ini:` part of agent.yaml against the key table. chmpx passes over an unknown key,
 * takes `8x` for 8 and changes some combinations without a word, so all of that is refused here.
 *
 * @throws ConfigurationError in one line with the key, its value and the reason.
 */
export function readIniOverrides(
  given: GivenOverrides,
  file: string,
  mode: 'server' | 'slave',
): IniOverrides {
  const overrides: Record<OverrideName, Map<string, Scalar>> = {
    global: new Map(),
    server: new Map(),
    slave: new Map(),
    k2hdkc: new Map(),
  };
  const refuse = (what: string): never => {
    throw new ConfigurationError(`${file}: ini.${what}`);
  };
  for (const name of OVERRIDE_NAMES) {
    for (const [key, value] of Object.entries(given[name])) {
      const reading = readOverride(SECTIONS[name], key, value);
      if (!reading.ok) refuse(`${name}.${key} ${reading.fault}`);
      else overrides[name].set(key, reading.value);
    }
  }
  if (mode === 'slave' && overrides.k2hdkc.size > 0) refuse('k2hdkc: a slave runs no k2hdkc');
  const [changed] = changedByChmpx((key) => overrides.global.get(key));
  if (changed !== undefined) refuse(`global: ${changed}`);
  const [refused] = refusedByK2hdkc((key) => overrides.k2hdkc.get(key));
  if (refused !== undefined) refuse(`k2hdkc: ${refused}`);
  return overrides;
}

function readOverride(
  section: SectionName,
  key: string,
  given: Scalar,
): { ok: true; value: Scalar } | { ok: false; fault: string } {
  const fixed = whyFixed(section, key);
  if (fixed !== undefined) return { ok: false, fault: `cannot be set: ${fixed}` };
  const spec = keySpec(section, key);
  if (spec === undefined) return { ok: false, fault: unknownKey(section, key) };
  const text = typeof given === 'boolean' ? (given ? 'yes' : 'no') : String(given);
  const reading = readValue(spec.kind, text);
  if (!reading.ok) return { ok: false, fault: `= ${shown(text)} ${reading.fault}` };
  if (spec.kind.is === 'path' && !text.startsWith('/')) {
    return { ok: false, fault: `= ${shown(text)} must be an absolute path` };
  }
  return reading;
}

function unknownKey(section: SectionName, key: string): string {
  const upper = key.toUpperCase();
  const unknown = `is no key of [${section}]: it would be passed over silently`;
  if (keySpec(section, upper)) return `${unknown}; it is written ${upper}`;
  const other = OVERRIDE_NAMES.find((name) => keySpec(SECTIONS[name], upper));
  return other === undefined ? unknown : `${unknown}; ini.${other} has it`;
}

/** The keys that hold the path of a file or folder which must be there before chmpx starts. */
export function overriddenPaths(overrides: IniOverrides): { key: string; path: string }[] {
  return OVERRIDE_NAMES.flatMap((name) =>
    [...overrides[name]].flatMap(([key, value]) =>
      keySpec(SECTIONS[name], key)?.kind.is === 'path' && key !== 'K2HFILE'
        ? [{ key: `ini.${name}.${key}`, path: String(value) }]
        : [],
    ),
  );
}

/** The overrides as one line for the comment of the ini; empty when there are none. */
export function describeOverrides(overrides: IniOverrides): string {
  const keys = OVERRIDE_NAMES.flatMap((name) =>
    KEYS[SECTIONS[name]]
      .filter(({ name: key }) => overrides[name].has(key))
      .map(({ name: key }) => `${name}.${key}`),
  );
  return keys.join(', ');
}

/**
 * The role's model with the operator's values in place of its own. A key of `global` that nodes can
 * have too goes before what the role says in them: the usual template writes `SSL = no` into every
 * node, against which `[GLOBAL]` would be of no use.
 */
export function withOverrides(model: ClusterModel, overrides: IniOverrides): ClusterModel {
  const { global, server, slave, k2hdkc } = overrides;
  const nodeSettings = (node: SlaveNode, own: Settings): Settings => {
    const kept = [...node.settings].filter(([key]) => !global.has(key));
    return new Map([...kept, ...own]);
  };
  return {
    global: { ...model.global, settings: new Map([...model.global.settings, ...global]) },
    servers: model.servers.map((node) => ({ ...node, settings: nodeSettings(node, server) })),
    slaves: model.slaves.map((node) => ({ ...node, settings: nodeSettings(node, slave) })),
    k2hdkc: model.k2hdkc && new Map([...model.k2hdkc, ...k2hdkc]),
  };
}

/** What chmpx would silently change in a model that `withOverrides` made. */
export function overrideProblems(model: ClusterModel, overrides: IniOverrides): string[] {
  if (overrides.global.size === 0) return [];
  const get = (key: string): Scalar | undefined => effective('GLOBAL', model.global.settings, key);
  return changedByChmpx(get).map((text) => `[GLOBAL] ${text} (see ini.global of agent.yaml)`);
}
