import * as v from 'valibot';
import { excerpt } from '../base/text.ts';
import { typeError } from '../oslo/failure.ts';
import type { JsonObject } from './json.ts';

/** A valibot object schema whose output is `T`: one entry per argument. */
export type ArgsSchema<T> = v.GenericSchema<unknown, T> & {
  readonly entries: Readonly<Record<string, { readonly type: string }>>;
};

/**
 * The arguments of one request, checked. Throws the TypeError that Python would answer, naming the
 * argument; its text never holds a value, because arguments can be passwords.
 */
export function parseArgs<T>(method: string, schema: ArgsSchema<T>, args: JsonObject): T {
  const unexpected = Object.keys(args).find((name) => !Object.hasOwn(schema.entries, name));
  if (unexpected !== undefined) {
    throw typeError(`${method}() got an unexpected keyword argument '${excerpt(unexpected)}'`);
  }
  const missing = Object.entries(schema.entries)
    .filter(([name, entry]) => entry.type !== 'optional' && !Object.hasOwn(args, name))
    .map(([name]) => `'${name}'`);
  if (missing.length > 0) throw typeError(`${method}() missing ${missingText(missing)}`);

  const result = v.safeParse(schema, args);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? '';
  // valibot's own messages quote the value.
  const wanted =
    issue.type === 'custom' ? issue.message : `expected ${issue.expected ?? issue.type}`;
  throw typeError(`${method}() argument '${excerpt(where)}' has the wrong type: ${wanted}`);
}

/** As Python counts them: `1 required positional argument: 'a'`, `3 …s: 'a', 'b', and 'c'`. */
function missingText(names: readonly string[]): string {
  const count = `${names.length} required positional argument${names.length === 1 ? '' : 's'}`;
  if (names.length <= 2) return `${count}: ${names.join(' and ')}`;
  return `${count}: ${names.slice(0, -1).join(', ')}, and ${names.at(-1) ?? ''}`;
}
