import { stringify } from 'ini';
import { AgentError } from '../../base/errors.ts';
import { inRingOrder, sameModel, type ClusterModel } from '../model/model.ts';
import { parseRole } from './parse-role.ts';
import { sectionsOf, type Section } from './sections.ts';

/** No text can be made of this model that reads back as the same. */
export class NotWritableError extends AgentError {
  constructor(group: string, why: string) {
    super(`the ini for ${group} cannot be written: ${why}`);
  }
}

/** What the comment at the top of an ini says beside the model. */
export interface IniComment {
  /** Where the model came from. Never a secret. */
  origin: string;
  /** What the operator has set in it, one line; empty for nothing. */
  overridden?: string;
  /** The keys that have their former values until the programs start again. */
  held?: readonly string[];
}

/**
 * The text of an ini that chmpx and k2hdkc share. Equal input gives equal bytes: DATE is that of
 * the model, nodes and keys have a fixed order. The result is read back and compared before it is
 * handed out, because chmpx leaves when a file that it reloads is wrong.
 *
 * @throws NotWritableError when it does not read back as this model.
 */
export function renderIni(model: ClusterModel, comment: IniComment): string {
  const text = [head(comment), ...sectionsOf(model).map(block)].join('\n');
  const back = parseRole(text);
  const { servers, slaves } = model;
  const ordered = { ...model, servers: inRingOrder(servers), slaves: inRingOrder(slaves) };
  if (!back.ok || !sameModel(back.model, ordered)) {
    const why = back.ok ? 'it reads back as another ring' : (back.problems[0]?.text ?? '');
    throw new NotWritableError(model.global.group, why);
  }
  return text;
}

/** Longest part of a comment (characters). */
const LONGEST_COMMENT = 1000;

function head({ origin, overridden = '', held = [] }: IniComment): string {
  return (
    (held.length === 0
      ? ''
      : `# As before until the programs start again: ${printable(held.join(', '))}.\n`) +
    `# Made by k2hdkc-guest-agent from ${printable(origin).slice(0, LONGEST_COMMENT)}.\n` +
    '# Changes in this file are lost: it is written again when the role changes.\n' +
    (overridden === ''
      ? ''
      : `# Set by ini: in agent.yaml: ${printable(overridden).slice(0, LONGEST_COMMENT)}.\n`)
  );
}

/** Text for a comment: one line, printable, and nothing that looks like a template. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]|[{}]/g, '?');
}

/**
 * The npm package ini writes each block: it is given one at a time because it merges repeated ones,
 * and only checked values because it quotes and escapes the others in a way that k2hdkc does not
 * read.
 */
function block({ name, entries }: Section): string {
  const body = Object.fromEntries(entries);
  return stringify(body, { section: name, whitespace: true, platform: 'linux' });
}
