import path from 'node:path';
import { isWithin } from '../../base/paths.ts';
import type { IniOverrides } from './ini-overrides.ts';
import { keySpec, type SectionName } from './keys.ts';
import type { ClusterModel, Settings } from './model.ts';
import { shown } from './problems.ts';

/** Which files the role may name. */
export interface RoleFolders {
  /** Absolute and normalised; below them K2HFILE of the role may be. */
  allowed: readonly string[];
  /**
   * The agent's and the operator's own files and folders, which it may not be or be in all the same, but for
   * what of them is an allowed folder further in.
   */
  closed: readonly string[];
  /** Where chmpx has its files. */
  shared: string;
}

/** What the agent names its work directories beside the data; it removes what is in them. */
const OWN_NAME = '.k2hdkc-agent';

/**
 * The paths of a role that it may not name (docs/ini.md). One that agent.yaml overrides is not used, so
 * that nothing is against it.
 *
 * @param model the role's own, without the overrides.
 */
export function rolePathProblems(
  model: ClusterModel,
  overrides: IniOverrides,
  folders: RoleFolders,
): string[] {
  const { global, server, slave, k2hdkc } = overrides;
  const own = `${model.global.group}-${model.global.selfControlPort}.`;
  const texts = [
    ...problemsIn('GLOBAL', model.global.settings, [global], 'global'),
    ...model.servers.flatMap((node) =>
      problemsIn('SVRNODE', node.settings, [global, server], 'server'),
    ),
    ...model.slaves.flatMap((node) =>
      problemsIn('SLVNODE', node.settings, [global, slave], 'slave'),
    ),
    ...problemsIn('K2HDKC', model.k2hdkc ?? new Map(), [k2hdkc], 'k2hdkc'),
  ];
  const file = roleDataFile(model, overrides);
  const why = file === null ? null : dataFileProblem(file, own, folders);
  if (why !== null) texts.push(`[K2HDKC] K2HFILE = ${shown(file ?? '')} ${why}`);
  return [...new Set(texts)];
}

/** K2HFILE by the role; null when it names none, or agent.yaml names another. */
export function roleDataFile(model: ClusterModel, { k2hdkc }: IniOverrides): string | null {
  const file = k2hdkc.has('K2HFILE') ? undefined : model.k2hdkc?.get('K2HFILE');
  return typeof file === 'string' ? file : null;
}

function problemsIn(
  section: SectionName,
  settings: Settings,
  overrides: readonly Settings[],
  place: string,
): string[] {
  return [...settings].flatMap(([key, value]) => {
    const spec = keySpec(section, key);
    if (spec?.kind.is !== 'path' || spec.roleMayName) return [];
    if (overrides.some((set) => set.has(key))) return [];
    return [
      `[${section}] ${key} = ${shown(String(value))} is not for the role to say: set ini.${place}.${key} in agent.yaml`,
    ];
  });
}

function dataFileProblem(
  file: string,
  own: string,
  { allowed, closed, shared }: RoleFolders,
): string | null {
  if (!path.isAbsolute(file)) return 'must be an absolute path';
  if (path.normalize(file) !== file || file.endsWith('/')) {
    return 'must be written without . and .. and without // or a / at its end';
  }
  if (file.split('/').some((name) => name.startsWith(OWN_NAME))) {
    return `must not have a name that begins with ${OWN_NAME}`;
  }
  const isOpened = (folder: string): boolean =>
    allowed.some((inner) => inner !== folder && isWithin(inner, folder) && isWithin(file, inner));
  if (closed.some((folder) => isWithin(file, folder) && !isOpened(folder))) {
    return 'is where the agent or the operator has files of their own';
  }
  if (!allowed.some((folder) => folder !== file && isWithin(file, folder))) {
    return `is not in ${allowed.join(' or ')}: see paths.role_dirs and ini.k2hdkc.K2HFILE in agent.yaml`;
  }
  if (file.startsWith(path.join(shared, own))) return 'has the name of a file of chmpx';
  return null;
}
