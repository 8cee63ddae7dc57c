import { describe, expect, it } from 'vitest';
import { GUEST_METHODS, isHandled } from '../../src/trove/guest-methods.ts';
import { parseArgs } from '../../src/trove/guest-args.ts';
import { readFixture, type ApiCall, type EncryptedCall } from './fixtures.ts';

/** A row of Trove's API class: its name, kind, name on the wire, timeout option, arguments. */
type TableRow = [string, 'call' | 'cast', string, string, (string | null)[]];

const master = readFixture('api_calls_master.json') as ApiCall[];
const { calls: debian } = readFixture('api_calls_encrypted.json') as { calls: EncryptedCall[] };
const tables = readFixture('method_tables.json') as Record<'api_debian' | 'api_master', TableRow[]>;

/** What Trove 15 to its master of August 2026 send, read from their sources. */
const releases = readFixture('guest_api_releases.json') as {
  methods: Record<string, { kind: string; timeout: string | null; version: string }>;
};

const TIMEOUTS: Record<string, number | null> = {
  '-': null,
  agent_low_timeout: 15,
  agent_high_timeout: 180,
  agent_snapshot_timeout: 1800,
};

describe('the table of methods', () => {
  it("is that of Trove's API, no name more and no name less", () => {
    const api = new Set(Object.values(tables).flatMap((rows) => rows.map((row) => row[2])));
    api.add('cluster_complete'); // called by the taskmanager's own class for clusters
    expect([...GUEST_METHODS.keys()].sort()).toEqual([...api].sort());
  });

  it.each(Object.values(tables).flat())('%s', (_api, kind, method, timeout, args) => {
    const facts = GUEST_METHODS.get(method);
    expect(facts).toMatchObject({ kind, timeoutSeconds: TIMEOUTS[timeout] });
    for (const name of args) {
      if (name !== null) expect(Object.keys(facts?.args.entries ?? {})).toContain(name);
    }
  });

  it.each(Object.entries(releases.methods))('%s is known as the releases send it', (name, sent) => {
    const seconds = sent.timeout === null ? null : TIMEOUTS[`agent_${sent.timeout}_timeout`];
    expect(GUEST_METHODS.get(name)).toMatchObject({
      kind: sent.kind,
      version: sent.version,
      timeoutSeconds: seconds,
    });
  });

  it.each(master.map((call) => [call.method, call] as const))(
    '%s is as captured',
    (method, { kind, version, expiration_ms, args }) => {
      const facts = GUEST_METHODS.get(method);
      expect(facts).toMatchObject({
        kind,
        version,
        timeoutSeconds: expiration_ms === null ? null : Number(expiration_ms) / 1000,
      });
      if (facts) expect(() => parseArgs(method, facts.args, args)).not.toThrow();
    },
  );

  it.each(debian.map((call) => [call.method, call.plainArgs] as const))(
    'Trove 18 may send %s too',
    (method, args) => {
      const facts = GUEST_METHODS.get(method);
      expect(facts).toBeDefined();
      if (facts) expect(() => parseArgs(method, facts.args, args)).not.toThrow();
    },
  );

  it('knows the methods whose outcome is notified (docs/contracts/trove.md, 6.2)', () => {
    const notified = [...GUEST_METHODS].filter(([, facts]) => facts.notifies);
    expect(notified.map(([name]) => name).sort()).toEqual([
      'change_passwords',
      'create_backup',
      'create_database',
      'create_user',
      'delete_database',
      'delete_user',
      'prepare',
      'update_attributes',
    ]);
  });

  it.each(['constructor', '__proto__', 'toString', 'perform_restore', 'update_status', ''])(
    'does not know %j',
    (method) => {
      expect(GUEST_METHODS.has(method)).toBe(false);
      expect(isHandled(method)).toBe(false);
    },
  );
});

describe('methods without a handler', () => {
  const unhandled = [...GUEST_METHODS].filter(([name]) => !isHandled(name));

  it.each(unhandled)('%s answers', (name, { answer }) => {
    if (answer.by === 'failure') {
      const failure = answer.failure(name);
      expect(failure.exceptionModule).toBe('trove.common.exception');
      expect(failure.exceptionClass).toBe('DatastoreOperationNotSupported');
      expect(failure.exceptionKwargs).toEqual({ operation: name, datastore: 'k2hdkc' });
      expect(failure.message).toMatch(
        new RegExp(
          `^The '${name}' operation is not supported for the 'k2hdkc' datastore: .*[^.]\\.$`,
        ),
      );
    } else {
      expect(answer.by).toBe('result');
    }
  });

  it('have a result where that is the truth', () => {
    const results = unhandled.flatMap(([name, { answer }]) =>
      answer.by === 'result' ? [[name, answer.result]] : [],
    );
    expect(Object.fromEntries(results)).toEqual({
      module_list: [],
      post_create_backup: {},
      reset_configuration: null,
    });
  });
});
