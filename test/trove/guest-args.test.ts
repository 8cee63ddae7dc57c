import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { RpcFailure } from '../../src/oslo/failure.ts';
import { parseArgs, type ArgsSchema } from '../../src/trove/guest-args.ts';
import { GUEST_METHODS } from '../../src/trove/guest-methods.ts';
import { HANDLED_METHODS } from '../../src/trove/handled-methods.ts';
import type { JsonObject } from '../../src/trove/json.ts';

const { prepare, stop_db, update_overrides } = HANDLED_METHODS;
const PREPARE = { packages: [], databases: [], memory_mb: 512, users: [] };

/** The text of the TypeError that parseArgs throws. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof RpcFailure)) throw error;
    expect([error.exceptionClass, error.exceptionModule]).toEqual(['TypeError', 'builtins']);
    return error.message;
  }
  throw new Error('accepted');
}

describe('the names of arguments', () => {
  it('that are not expected', () => {
    const text = refusal(() => parseArgs('prepare', prepare.args, { ...PREPARE, bogus: 1 }));
    expect(text).toBe("prepare() got an unexpected keyword argument 'bogus'");
  });

  it.each(['__proto__', 'constructor', 'toString'])('that objects are born with: %s', (name) => {
    const args = JSON.parse(`{"${name}": {"do_not_start_on_reboot": true}}`) as JsonObject;
    expect(refusal(() => parseArgs('stop_db', stop_db.args, args))).toBe(
      `stop_db() got an unexpected keyword argument '${name}'`,
    );
  });

  const two = v.object({ a: v.unknown(), b: v.unknown() });
  it.each([
    [{ a: 1 }, "f() missing 1 required positional argument: 'b'"],
    [{}, "f() missing 2 required positional arguments: 'a' and 'b'"],
  ])('that are missing: %j', (args, text) => {
    expect(refusal(() => parseArgs('f', two, args))).toBe(text);
  });

  it('that are missing, as Python lists many', () => {
    expect(refusal(() => parseArgs('prepare', prepare.args, {}))).toBe(
      "prepare() missing 4 required positional arguments: 'packages', 'databases', 'memory_mb', and 'users'",
    );
  });
});

describe('the types of arguments', () => {
  it.each([
    [
      { overrides: 'text' },
      "update_overrides() argument 'overrides' has the wrong type: expected an object or null",
    ],
    [{ overrides: [] }, "argument 'overrides' has the wrong type"],
    [{ overrides: null, remove: 'yes' }, "argument 'remove' has the wrong type: expected boolean"],
  ])('%j', (args, text) => {
    expect(refusal(() => parseArgs('update_overrides', update_overrides.args, args))).toContain(
      text,
    );
  });

  it('are named inside an object too', () => {
    const nested = v.object({ a: v.object({ id: v.string() }) });
    expect(refusal(() => parseArgs('f', nested, { a: { id: 5 } }))).toBe(
      "f() argument 'a.id' has the wrong type: expected string",
    );
  });

  it('are refused without showing the value', () => {
    const args = { ...PREPARE, overrides: 'geheim' };
    expect(refusal(() => parseArgs('prepare', prepare.args, args))).not.toContain('geheim');
  });
});

describe('what comes out', () => {
  it('has the defaults of the method', () => {
    expect(parseArgs('stop_db', stop_db.args, {})).toEqual({ do_not_start_on_reboot: false });
    expect(parseArgs('update_overrides', update_overrides.args, { overrides: {} })).toEqual({
      overrides: {},
      remove: false,
    });
  });

  it('of prepare is what we read, with what we do not read left alone', () => {
    const args = { ...PREPARE, packages: '', databases: null, users: 'odd', root_password: 5 };
    expect(parseArgs('prepare', prepare.args, args)).toMatchObject({
      overrides: null,
      cluster_config: null,
      backup_info: null,
      device_path: null,
      ds_version: null,
    });
  });

  it('keeps a cluster_config whole, and takes an empty one for none', () => {
    const cluster_config = { id: 'c1', shard_id: null, instance_type: 'member' };
    const parse = (config: unknown) =>
      parseArgs('prepare', prepare.args, { ...PREPARE, cluster_config: config }).cluster_config;
    expect(parse(cluster_config)).toEqual(cluster_config);
    expect(parse({})).toBeNull();
    expect(parse(null)).toBeNull();
  });
});

describe.each([...GUEST_METHODS])('the arguments of %s', (method, { args: schema }) => {
  const entries = Object.entries(schema.entries);
  const required = entries.filter(([, entry]) => entry.type !== 'optional');
  /** The required arguments with a value that each accepts. */
  const good = Object.fromEntries(
    required.map(([name, { type }]) => [name, type === 'string' ? 'text' : null]),
  );

  it('that are required are enough', () => {
    expect(refused(method, schema, good)).toBeNull();
  });

  it('that are unknown are named', () => {
    expect(refused(method, schema, { ...good, bogus: 1 })).toBe(
      `${method}() got an unexpected keyword argument 'bogus'`,
    );
  });

  it('that are missing are named', () => {
    for (const [name] of required) {
      const rest = Object.fromEntries(Object.entries(good).filter(([other]) => other !== name));
      expect(refused(method, schema, rest)).toBe(
        `${method}() missing 1 required positional argument: '${name}'`,
      );
    }
  });

  it('that are of a wrong type are named, or never read', () => {
    for (const [name] of entries) {
      const wrong = [5, 'text', true, [], { a: 1 }]
        .map((value) => refused(method, schema, { ...good, [name]: value }))
        .filter((text) => text !== null);
      if (wrong.length === 0) expect(typeOf(schema.entries[name])).toBe('unknown');
      for (const text of wrong) expect(text).toContain(`${method}() argument '${name}' has the`);
    }
  });
});

function refused(method: string, schema: ArgsSchema<unknown>, args: JsonObject): string | null {
  try {
    parseArgs(method, schema, args);
    return null;
  } catch (error) {
    return refusal(() => {
      throw error;
    });
  }
}

/** What an argument must be, once it is there. */
function typeOf(entry: { type: string; wrapped?: { type: string } } | undefined): string {
  return entry?.wrapped?.type ?? entry?.type ?? 'nothing';
}
