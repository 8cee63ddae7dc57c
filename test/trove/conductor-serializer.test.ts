import { describe, expect, it } from 'vitest';
import { Cipher } from '../../src/trove/cipher.ts';
import { ConductorSerializer } from '../../src/trove/conductor-serializer.ts';
import { CAPTURE_INSTANCE, CAPTURE_KEY, readFixture, type ConductorCast } from './fixtures.ts';

const encrypted = readFixture('conductor_messages_encrypted.json') as ConductorCast[];
const plain = readFixture('conductor_messages_plain.json') as ConductorCast[];
const cipher = new Cipher(CAPTURE_KEY);

interface Entity {
  entity: string;
  'csz-instance-id': string;
}
const entityOf = (value: unknown): Entity => JSON.parse(String(value)) as Entity;

describe('with a key, as the real guest sends it', () => {
  const serializer = new ConductorSerializer(CAPTURE_INSTANCE, CAPTURE_KEY);

  it.each(encrypted.map((cast) => [cast.method, cast] as const))('%s', (_method, cast) => {
    const { plainArgs = {}, plainContext = {} } = cast;
    const ours = serializer.encode({ args: plainArgs, context: plainContext });

    expect(Object.keys(ours.args)).toEqual(Object.keys(cast.args));
    for (const [name, theirs] of Object.entries(cast.args)) {
      const entity = entityOf(ours.args[name]);
      expect(Object.keys(entity)).toEqual(Object.keys(entityOf(theirs)));
      expect(entity['csz-instance-id']).toBe(entityOf(theirs)['csz-instance-id']);
      expect(cipher.decryptJson(entity.entity)).toEqual(
        cipher.decryptJson(entityOf(theirs).entity),
      );
    }
    expect(Object.keys(ours.context)).toEqual(Object.keys(cast.context));
    expect(ours.context['csz-instance-id']).toBe(cast.context['csz-instance-id']);
    expect(cipher.decryptJson(ours.context['context'])).toEqual(plainContext);
  });

  it('byte for byte where JSON has no spaces and the IV is the same', () => {
    const theirs = entityOf(encrypted[0]?.args['instance_id']);
    const iv = Buffer.from(theirs.entity, 'base64').subarray(0, 16);
    const sameIv = new ConductorSerializer(CAPTURE_INSTANCE, CAPTURE_KEY, () => iv);
    const ours = sameIv.encode({ args: { instance_id: CAPTURE_INSTANCE }, context: {} });
    expect(entityOf(ours.args['instance_id'])).toEqual(theirs);
  });
});

describe('without a key', () => {
  const serializer = new ConductorSerializer(CAPTURE_INSTANCE, null);

  it.each(plain.map((cast) => [cast.method, cast] as const))('%s is sent as it is', (_m, cast) => {
    const { args, context } = cast;
    expect(serializer.encode({ args, context })).toEqual({ args, context });
  });

  // The conductor parses every text argument as JSON: what it then holds must be our text.
  it.each(['12345678', 'null', '{"a": 1}', '1e5', '"quoted"', 'NaN', ' -Infinity '])(
    'the text %s arrives as a text',
    (checksum) => {
      const { args } = serializer.encode({ args: { checksum }, context: {} });
      expect(JSON.parse(String(args['checksum']))).toBe(checksum);
    },
  );
});
