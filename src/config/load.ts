import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { ConfigurationError, codeOf, messageOf } from '../base/errors.ts';
import { excerpt } from '../base/text.ts';
import { agentConfigSchema, type AgentConfig } from './schema.ts';

/**
 * Reads agent.yaml. A file that is absent is fine when nobody named it: every key has a default.
 *
 * @throws ConfigurationError in one line that names file, line, key and what it should be.
 */
export async function loadAgentConfig(
  file: string,
  { mustExist }: { mustExist: boolean },
): Promise<AgentConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !mustExist) return parseAgentConfig('', file);
    throw new ConfigurationError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  return parseAgentConfig(text, file);
}

/** The same for a text that was read already; `file` is for messages. */
export function parseAgentConfig(text: string, file: string): AgentConfig {
  const lines = new LineCounter();
  const document = orRefuse(file, () =>
    parseDocument(text, { lineCounter: lines, prettyErrors: false }),
  );
  const [syntaxError] = document.errors;
  if (syntaxError) {
    const { line } = lines.linePos(syntaxError.pos[0]);
    const what =
      syntaxError.code === 'MULTIPLE_DOCS'
        ? 'another document begins; there must be one'
        : withoutSource(messageOf(syntaxError));
    throw new ConfigurationError(`${file} line ${line}: ${what}`);
  }
  const content = orRefuse(file, () => document.toJS() as unknown);
  const parsed = v.safeParse(agentConfigSchema, withAllSections(content, file));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const keys = issue.path?.map((item) => String(item.key)) ?? [];
  const at = lineOf(document, keys, lines);
  throw new ConfigurationError(`${file}${at}: ${describe(issue, keys)}`);
}

/** What the library throws about aliases that lead nowhere, or to too much, and about depth. */
function orRefuse<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why =
      error instanceof RangeError ? 'it is nested too deeply' : withoutSource(messageOf(error));
    throw new ConfigurationError(`${file}: ${why}`);
  }
}

/** Behind a colon the library quotes the file, which may hold a token there. */
function withoutSource(message: string): string {
  return message.split(':', 1).join('');
}

function describe(issue: v.BaseIssue<unknown>, keys: string[]): string {
  const name = keys.join('.');
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return `unknown key ${name}: see config/agent.yaml for the keys there are`;
  }
  if (issue.type === 'picklist') return `${name} must be one of ${issue.expected ?? ''}`;
  if (issue.type === 'strict_object') return `${name} must be a section with keys of its own`;
  const text = issue.message.startsWith('must') ? issue.message : `must be ${issue.expected ?? ''}`;
  const value = isSecret(keys) ? '(not shown)' : excerpt(JSON.stringify(issue.input));
  return `${name} = ${value} ${text}`;
}

/** Whether the schema marks the value of this key as one that no message may show. */
function isSecret(keys: string[]): boolean {
  let schema: unknown = agentConfigSchema;
  for (const key of keys) {
    const { entries } = unwrapped(schema) as { entries?: Record<string, unknown> };
    schema = entries?.[key];
  }
  const inner = unwrapped(schema) as v.GenericSchema | undefined;
  return inner !== undefined && v.getMetadata(inner)['isSecret'] === true;
}

/** What is inside `optional` and `nullable`. */
function unwrapped(schema: unknown): unknown {
  let inner = schema;
  while (typeof inner === 'object' && inner !== null && 'wrapped' in inner) inner = inner.wrapped;
  return inner;
}

/** Every section may be absent or empty (which is null in YAML): its keys have defaults. */
function withAllSections(content: unknown, file: string): object {
  const given = content ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new ConfigurationError(`${file}: the file must be a map of sections such as "log:"`);
  }
  const sections = new Map(
    Object.entries(agentConfigSchema.entries).flatMap(([name, schema]) =>
      schema.type === 'strict_object' ? [[name, {}]] : [],
    ),
  );
  const isEmpty = ([name, value]: [string, unknown]): boolean =>
    value === null && sections.has(name);
  const present = Object.entries(given).filter((section) => !isEmpty(section));
  return { ...Object.fromEntries(sections), ...Object.fromEntries(present) };
}

function lineOf(document: Document, keys: string[], lines: LineCounter): string {
  for (let depth = keys.length; depth > 0; depth--) {
    const path = keys.slice(0, depth);
    const parent: unknown =
      depth === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    const key = keyNode(parent, path.at(-1) ?? '');
    if (key?.range) return ` line ${lines.linePos(key.range[0]).line}`;
  }
  return '';
}

function keyNode(parent: unknown, key: string) {
  if (typeof parent !== 'object' || parent === null || !('items' in parent)) return undefined;
  const items = parent.items as { key?: unknown }[];
  const pair = items.find((item) => isScalar(item.key) && String(item.key.value) === key);
  return isScalar(pair?.key) ? pair.key : undefined;
}
