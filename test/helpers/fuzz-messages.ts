import { gzipSync } from 'node:zlib';
import type { Options } from 'amqplib';
import fc from 'fast-check';
import { Cipher } from '../../src/trove/cipher.ts';
import { GUEST_METHODS } from '../../src/trove/guest-methods.ts';

/** One message, and the call in it if it is one that can be answered. */
export interface FuzzMessage {
  content: Buffer;
  properties: Options.Publish;
  /** The _msg_id of the call; null when nobody can know whom to answer. */
  answerTo: string | null;
}

/** What the messages are made for. */
export interface FuzzOptions {
  /** Where answers are seen. */
  replyQueue: string;
  /** The guest's key; null when its messages are not encrypted. */
  key: string | null;
  seed: number;
  count: number;
}

type Fields = Record<string, unknown>;

/** How a request is put into a message. `envelope` and `bare` are right. */
type Wrapping = 'envelope' | 'bare' | 'version' | 'half' | 'twice';

/** What happens to the bytes on their way; `at` is a share of the length. */
type Damage =
  | { kind: 'none' | 'zip' | 'silent zip' }
  | { kind: 'cut'; at: number }
  | { kind: 'byte'; at: number; byte: number };

/** The same messages come from the same seed. */
const sameIv = (size: number): Uint8Array => new Uint8Array(size).fill(7);

/** One of two, the first so many times in ten. */
const mostly = <T, U>(times: number, first: fc.Arbitrary<T>, other: fc.Arbitrary<U>) =>
  fc.oneof({ weight: times, arbitrary: first }, { weight: 10 - times, arbitrary: other });

/** Texts that programs trip over. */
const oddText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('', '\0', '__proto__', 'constructor', 'toString', '../../etc', '%s%n', '\ud800'),
  fc.nat(3_000).map((length) => 'x'.repeat(length)),
);
/** What makes a careless expression try again from every letter. Rare: the bytes must be sent. */
const longRun = fc
  .tuple(fc.constantFrom(' ', '\t', '_', '(', '[', '"', '%', '0', '\r'), fc.nat(100_000))
  .map(([letter, length]) => `a${letter.repeat(length)}b`);
const anything = fc.oneof(
  { weight: 40, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 20, arbitrary: oddText },
  { weight: 10, arbitrary: fc.constantFrom(null, true, -0, 1e308, 2 ** 53, [], {}, [[]]) },
  { weight: 10, arbitrary: fc.nat(2_000).map(nested) },
  { weight: 1, arbitrary: longRun },
);

const schemas = [...GUEST_METHODS.values()].map(({ args }) => Object.keys(args.entries));
const ARGUMENTS = [...new Set(schemas.flat())];

const method = fc.oneof(
  { weight: 70, arbitrary: fc.constantFrom(...GUEST_METHODS.keys()) },
  { weight: 29, arbitrary: mostly(7, oddText, anything) },
  { weight: 1, arbitrary: longRun },
);

/** The fields of a request, each right or wrong or missing. */
function fields(key: string | null): fc.Arbitrary<Fields> {
  const other = new Cipher('another key of thirty-two letters', sameIv);
  const cipher = key === null ? other : new Cipher(key, sameIv);
  const sealed = fc.oneof(
    { weight: 8, arbitrary: anything.map((value) => cipher.encryptJson(value)) },
    { weight: 1, arbitrary: anything.map((value) => other.encryptJson(value)) },
    { weight: 1, arbitrary: oddText.map((text) => cipher.encrypt(text)) },
    { weight: 1, arbitrary: fc.base64String() },
    { weight: 1, arbitrary: anything },
  );
  const context = fc.record({
    request_id: mostly(8, fc.uuid(), oddText),
    user: mostly(8, fc.constant('somebody'), anything),
    trove_notification: anything,
  });
  const name = mostly(8, fc.constantFrom(...ARGUMENTS), oddText);
  const argument = key === null ? mostly(8, anything, sealed) : sealed;
  const args = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 6, arbitrary: fc.dictionary(name, argument, { maxKeys: 5 }) },
    { weight: 1, arbitrary: anything },
  );
  const wrong = fc.record(
    {
      version: mostly(5, fc.constantFrom('1.1', '1.3', '9.9', '1', ''), anything),
      namespace: anything,
      _timeout: mostly(5, fc.constantFrom(0, 1, 60, -5, 1e300), anything),
      _context_context: sealed,
      _context_trove_notification: anything,
    },
    { requiredKeys: [] },
  );
  const right: fc.Arbitrary<Fields> =
    key === null
      ? fc.constant({ _context_user: 'somebody' })
      : context.map((value) => ({ _context_context: cipher.encryptJson(value) }));
  return fc
    .tuple(
      fc.record({ method, args }, { requiredKeys: ['method'] }),
      right,
      mostly(6, fc.constant({}), wrong),
    )
    .map((parts) => Object.assign({}, ...parts) as Fields);
}

/** Whom to answer: mostly us, sometimes nobody. */
function caller(replyQueue: string): fc.Arbitrary<Fields> {
  const ours = fc.record({ _reply_q: fc.constant(replyQueue) });
  return fc.oneof(
    { weight: 60, arbitrary: ours },
    { weight: 20, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ _reply_q: anything }) },
    { weight: 1, arbitrary: fc.record({ _reply_q: fc.constant('reply_that_is_not_there') }) },
  );
}

const wrapping = mostly<Wrapping, Wrapping>(
  8,
  fc.constantFrom('envelope', 'envelope', 'envelope', 'bare'),
  fc.constantFrom('version', 'half', 'twice'),
);

function wrap(request: Fields, how: Wrapping): string {
  const text = JSON.stringify(request);
  const inside = { 'oslo.version': '2.0', 'oslo.message': text };
  switch (how) {
    case 'envelope':
      return JSON.stringify(inside);
    case 'bare':
      return text;
    case 'version':
      return JSON.stringify({ ...inside, 'oslo.version': '3.0' });
    case 'half':
      return JSON.stringify({ 'oslo.message': text });
    case 'twice':
      return JSON.stringify({ ...inside, 'oslo.message': JSON.stringify(inside) });
  }
}

const somewhere = fc.double({ min: 0, max: 1, noNaN: true });
const damage: fc.Arbitrary<Damage> = mostly<Damage, Damage>(
  8,
  fc.constant({ kind: 'none' }),
  fc.oneof(
    fc.constantFrom<Damage>({ kind: 'zip' }, { kind: 'silent zip' }),
    fc.record({ kind: fc.constant('cut' as const), at: somewhere }),
    fc.record({
      kind: fc.constant('byte' as const),
      at: somewhere,
      byte: fc.constantFrom(0, 0xff, 0xc0, 0x80, 0x22, 0x7b),
    }),
  ),
);

function inflict(content: Buffer, what: Damage): Buffer {
  switch (what.kind) {
    case 'none':
      return content;
    case 'zip':
    case 'silent zip':
      return gzipSync(content);
    case 'cut':
      return content.subarray(0, Math.floor(what.at * content.length));
    case 'byte': {
      const at = Math.floor(what.at * content.length);
      const parts = [content.subarray(0, at), Buffer.from([what.byte]), content.subarray(at)];
      return Buffer.concat(parts);
    }
  }
}

const headers = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 20 }),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
);
const shortText = fc.string({ maxLength: 40 });
const properties: fc.Arbitrary<Options.Publish> = mostly<Options.Publish, Options.Publish>(
  8,
  fc.constant({ contentType: 'application/json', contentEncoding: 'utf-8' }),
  fc.record(
    {
      contentType: fc.constantFrom('text/plain', 'application/octet-stream', '', 'x'.repeat(200)),
      contentEncoding: fc.constantFrom('latin1', 'gzip', 'binary', ''),
      headers,
      deliveryMode: fc.constantFrom(1 as const, 2 as const),
      priority: fc.nat(255),
      correlationId: shortText,
      replyTo: shortText,
      messageId: shortText,
      type: shortText,
    },
    { requiredKeys: [] },
  ),
);

/** Messages that know the protocol, and break it somewhere. */
function informed({ key, replyQueue }: FuzzOptions): fc.Arbitrary<FuzzMessage> {
  const parts = [fields(key), caller(replyQueue), wrapping, damage, properties, fc.uuid()] as const;
  return fc.tuple(...parts).map(([request, whom, how, harm, sent, uuid]) => {
    const call = '_reply_q' in whom ? { ...whom, _msg_id: uuid } : {};
    const body = Buffer.from(wrap({ ...request, ...call, _unique_id: uuid }, how));
    const zipped = harm.kind === 'zip' ? { headers: { compression: 'application/x-gzip' } } : {};
    const isReadable = harm.kind === 'none' && (how === 'envelope' || how === 'bare');
    return {
      content: inflict(body, harm),
      properties: { ...sent, ...zipped },
      answerTo: isReadable && whom['_reply_q'] === replyQueue ? uuid : null,
    };
  });
}

/** A body of `size` equal letters, or so many brackets. */
const large = fc.oneof(
  fc.nat(100_000).map((depth) => '['.repeat(depth)),
  fc.nat(20_000).map(deep),
  fc.nat(300_000).map((size) => 'x'.repeat(size)),
  fc.nat(300_000).map((size) => `{"method":"${'m'.repeat(size)}"}`),
);

/** Messages that know nothing. */
const ignorant: fc.Arbitrary<FuzzMessage> = fc
  .tuple(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
      },
      { weight: 5, arbitrary: anything.map((value) => Buffer.from(JSON.stringify(value))) },
      { weight: 4, arbitrary: large.map((text) => Buffer.from(text)) },
    ),
    properties,
  )
  .map(([content, sent]) => ({ content, properties: sent, answerTo: null }));

/** A request whose only argument is that deep. */
function deep(depth: number): string {
  return `{"method":"rpc_ping","args":{"a":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}}`;
}

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let n = 0; n < depth; n++) value = [value];
  return value;
}

/** The same messages for the same seed. */
export function fuzzMessages(options: FuzzOptions): FuzzMessage[] {
  const { seed, count } = options;
  const message = mostly(9, informed(options), ignorant);
  return fc.sample(message, { seed, numRuns: count });
}
