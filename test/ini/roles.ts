import { readFileSync } from 'node:fs';
import { parseRole } from '../../src/ini/text/parse-role.ts';
import { forNode, type ClusterModel } from '../../src/ini/model/model.ts';
import { nodeIni, type NodeIni } from '../../src/ini/text/node-ini.ts';

/** CUKs of the nodes in the captured roles. */
export const CUK1 = '00000001-aaaa-4bbb-8ccc-000000000001';
export const CUK3 = '00000003-aaaa-4bbb-8ccc-000000000003';

/** Role resources as a real K2HR3 expanded them, by the number of their capture. */
export const ROLES = {
  noServers: '015',
  twoServers: '018',
  threeServers: '020',
  threeServersOneSlave: '042',
  ofSlave: '043',
  tagWithNewline: '201',
  tagWithQuotes: '204',
} as const;

/** Where a role may have its data in these tests. */
export const ROLE_FOLDERS = {
  allowed: ['/var/lib/antpickax', '/data'],
  closed: ['/var/lib/antpickax/of-the-agent'],
  shared: '/var/lib/antpickax',
};

export function roleText(name: keyof typeof ROLES): string {
  const file = `resource-of-capture-${ROLES[name]}.ini`;
  return readFileSync(new URL(`../fixtures/k2hr3/${file}`, import.meta.url), 'utf8');
}

/** The three-server role after `edit` changed its text; throws when it cannot be read. */
export function roleModel(
  name: keyof typeof ROLES = 'threeServers',
  edit: (text: string) => string = (text) => text,
): ClusterModel {
  const reading = parseRole(edit(roleText(name)));
  if (!reading.ok) throw new Error(reading.problems.map(({ text }) => text).join('\n'));
  return reading.model;
}

/** Replaces the first line of a key, which must be there. */
export function withLine(text: string, key: string, line: string): string {
  const form = new RegExp(`^${key} .*$`, 'm');
  if (!form.test(text)) throw new Error(`no ${key} in the text`);
  return text.replace(form, line);
}

/** A change of a role's text. */
export type Edit = (text: string) => string;

/** The ini of the first of three servers, after `edit` changed the role. */
export function iniOf(edit?: Edit): NodeIni {
  return nodeIni(forNode(roleModel('threeServers', edit), CUK1), { origin: 'a role' });
}

/** Gives the first of these keys this value. */
export function set(key: string, value: string): Edit {
  return (text) => withLine(text, key, `${key} = ${value}`);
}

/** The same below the first place where this stands: a section's head, or a server's CUK. */
export function setBelow(place: string, key: string, value: string): Edit {
  return (text) => {
    const at = text.indexOf(place);
    return text.slice(0, at) + set(key, value)(text.slice(at));
  };
}
