import { stringify } from 'ini';
import { AgentError } from '../base/errors.ts';
import { KEYS, type Scalar, type SectionName } from './keys.ts';
import {
  inRingOrder,
  sameModel,
  type ClusterModel,
  type GlobalPart,
  type ServerNode,
  type Settings,
  type SlaveNode,
} from './model.ts';
import { parseRole } from './parse-role.ts';
import { writeValue } from './values.ts';

/** What a rendered file says beyond the model. */
export interface RenderOptions {
  /** Instance id of this VM; it takes the place of `__SELF_INSTANCE_ID__`. */
  cuk: string;
  /** Where the model came from, for the comment at the top. Never a secret. */
  origin: string;
  /** What the operator has set in it, one line; empty for nothing. */
  overridden?: string;
}

/**
 * The ini that chmpx and k2hdkc share, for this node. Equal input gives equal bytes: DATE is that
 * of the model, nodes and keys have a fixed order. The result is read back and compared before it
 * is handed out, because chmpx leaves when a file that it reloads is wrong.
 */
export function renderIni(
  model: ClusterModel,
  { cuk, origin, overridden = '' }: RenderOptions,
): string {
  const rendered: ClusterModel = {
    global: { ...model.global, selfCuk: cuk },
    servers: inRingOrder(model.servers),
    slaves: inRingOrder(model.slaves),
    k2hdkc: model.k2hdkc,
  };
  const text = [
    `# Made by k2hdkc-guest-agent from ${comment(origin)}.\n` +
      '# Changes in this file are lost: it is written again when the role changes.\n' +
      (overridden === '' ? '' : `# Set by ini: in agent.yaml: ${comment(overridden)}.\n`),
    section('GLOBAL', globalValues(rendered.global)),
    ...rendered.servers.map((node) => section('SVRNODE', serverValues(node))),
    ...rendered.slaves.map((node) => section('SLVNODE', slaveValues(node))),
    ...(rendered.k2hdkc === undefined ? [] : [section('K2HDKC', rendered.k2hdkc)]),
  ].join('\n');
  const back = parseRole(text);
  if (!back.ok || !sameModel(back.model, rendered)) {
    const why = back.ok ? 'it reads back as another ring' : (back.problems[0]?.text ?? '');
    throw new AgentError('render', `the ini for ${model.global.group} cannot be written: ${why}`);
  }
  return text;
}

/** Text for a comment: one line, printable, and nothing that looks like a template. */
function comment(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]|[{}]/g, '?').slice(0, 1000);
}

/**
 * One section, its keys in the order of the key table. The npm package ini writes it: it is given
 * one section at a time because it merges repeated ones, and only checked values because it quotes
 * and escapes the others in a way that k2hdkc does not read.
 */
function section(name: SectionName, values: Settings): string {
  const body: Record<string, string> = {};
  for (const { name: key } of KEYS[name]) {
    const value = values.get(key);
    if (value !== undefined) body[key] = writeValue(value);
  }
  return stringify(body, { section: name, whitespace: true, platform: 'linux' });
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
