import { format, resolveConfig } from 'prettier';
import {
  noSuchMethod,
  typeError,
  unsupportedVersion,
  type RpcFailure,
} from '../src/oslo/failure.ts';
import { notSupported } from '../src/trove/exceptions.ts';
import type { ArgsSchema } from '../src/trove/guest-args.ts';
import type { GuestMethod } from '../src/trove/guest-method.ts';
import { GUEST_METHODS, isHandled } from '../src/trove/guest-methods.ts';
import { UnreadableRequestError } from '../src/trove/guest-serializer.ts';
import type { HandledMethod } from '../src/trove/handled-methods.ts';
import { METHOD_NOTES } from '../src/trove/method-notes.ts';
import trove from '../test/fixtures/trove/guest_api_releases.json' with { type: 'json' };

/** The part of a valibot schema that says what it accepts. */
interface Schema {
  type: string;
  wrapped?: Schema;
  pipe?: Schema[];
  entries?: Record<string, Schema>;
  default?: unknown;
}

const REFUSAL = notSupported('method', 'why');

/** The text of docs/rpc-methods.md. `file` is where it will be, for prettier. */
export async function rpcMethodsPage(file: string): Promise<string> {
  const text = [
    '# RPC methods',
    'Made from the code by `node scripts/rpc-methods.mjs`; a test compares. What the calls mean for ' +
      'a cluster is in [trove-calls.md](trove-calls.md).',
    'Arguments come by name; those with `?` may be left out. _call, 15 s_: Trove waits so long for ' +
      'the answer, at its defaults. The version is the one that current Trove sends; 1.0 to 1.3 or ' +
      'none (1.0) is accepted for every method.',
    '## Every method',
    ...common(),
    '## With an answer',
    ...[...GUEST_METHODS].flatMap(([name, facts]) => (isHandled(name) ? handled(name, facts) : [])),
    '## Always the same answer',
    `Most are refused with ${REFUSAL.exceptionClass}: “${REFUSAL.message}”. A call gets that as its ` +
      'reply. A cast gets none: a notification, if Trove asked for one, shows it as the fault of the ' +
      'instance, and a refused backup becomes `FAILED`.',
    table(
      ['method', 'how', 'arguments', 'answer'],
      [...GUEST_METHODS].flatMap(([name, facts]) =>
        isHandled(name)
          ? []
          : [[`\`${name}\``, how(facts), argsText(facts.args), fixed(name, facts)]],
      ),
    ),
    '## Which Trove sends what',
    ...releases(),
  ].join('\n\n');
  return format(text, { ...(await resolveConfig(file)), parser: 'markdown' });
}

function common(): string[] {
  const example = (failure: RpcFailure): string => `${failure.exceptionClass}: ${failure.message}`;
  return [
    table(
      ['when', 'answer'],
      [
        ['no such method', example(noSuchMethod('x'))],
        ['another version, or a namespace', example(unsupportedVersion('1.4', 'x'))],
        [
          'an argument that is missing, unknown or of the wrong type',
          `${typeError('').exceptionClass}, naming the argument`,
        ],
        ...(['foreign', 'clear', 'keyless'] as const).map((reason) => [
          'cannot be decrypted',
          example(new UnreadableRequestError('the request context', reason)),
        ]),
      ],
    ),
    'Operations, which change this VM, also answer:',
    table(
      ['when', 'answer'],
      [
        [
          'not over two seconds before Trove’s time limit',
          'GuestError with the progress; it goes on',
        ],
        ['the request cannot be stored on this VM', 'TroveError with the reason; it is not run'],
      ],
    ),
  ];
}

function handled(name: HandledMethod, facts: GuestMethod): string[] {
  const { does, answer, errors, operation } = METHOD_NOTES[name];
  const args = argsText(facts.args);
  return [
    `### \`${name}\``,
    `${how(facts)}${operation ? ', an operation' : ''}. ${does}`,
    [
      ...(args === '' ? [] : [`- arguments: ${args}`]),
      ...(facts.kind === 'cast' ? [] : [`- answer: ${answerText(answer)}`]),
      ...errors.map(([exception, when]) => `- ${exception}: ${when}`),
    ].join('\n'),
  ];
}

function how({ kind, version, timeoutSeconds }: GuestMethod): string {
  return [kind, ...(timeoutSeconds === null ? [] : [`${timeoutSeconds} s`]), version].join(', ');
}

function fixed(name: string, { answer }: GuestMethod): string {
  switch (answer.by) {
    case 'result':
      return `\`${JSON.stringify(answer.result)}\``;
    case 'failure': {
      const { exceptionClass, message } = answer.failure(name);
      const [before = ''] = notSupported(name, '…').message.split('…');
      return message.startsWith(before)
        ? `refused: ${message.slice(before.length, -1)}`
        : `${exceptionClass}: ${message}`;
    }
    case 'handler':
      throw new Error(`${name} has no answer of its own`);
  }
}

/** A row for each method, a column for the releases that send the same ones. */
function releases(): string[] {
  const names = Object.keys(trove.releases);
  const methods = Object.entries<{ first: string }>(trove.methods);
  const firsts = [...new Set(methods.map(([, { first }]) => first))].sort(
    (one, other) => names.indexOf(one) - names.indexOf(other),
  );
  const columns = firsts.map((first, index) => {
    const next = firsts[index + 1];
    const last = next === undefined ? names.at(-1) : names[names.indexOf(next) - 1];
    return { from: names.indexOf(first), title: first === last ? first : `${first} to ${last}` };
  });
  const rows = [...GUEST_METHODS].map(([name, { answer }]) => {
    const sent = methods.find(([method]) => method === name);
    const cells = columns.map(({ from }) => {
      if (sent === undefined) return 'clusters';
      return names.indexOf(sent[1].first) <= from ? 'yes' : '';
    });
    const here = { handler: 'done', result: 'a fixed answer', failure: 'refused' }[answer.by];
    return [`\`${name}\``, ...cells, here];
  });
  return [
    'From the sources of Trove: _yes_ is a method of the class that talks to a guest, and _clusters_ one of ' +
      'the cluster strategies. No release changes how it sends a method, except for `ds_version` and ' +
      '`do_not_start_on_reboot`, which a lowered `[upgrade_levels] guestagent` leaves out. `update_guest` is ' +
      'called by nothing in any of them. `get_datastore_log_defs` is no method: it is a function inside Trove’s own guest.',
    table(['method', ...columns.map(({ title }) => title), 'here'], rows),
  ];
}

function answerText(answer: string | Readonly<Record<string, string>> | null): string {
  if (answer === null) return '`null`';
  if (typeof answer === 'string') return answer;
  return Object.entries(answer)
    .map(([field, text]) => `\`${field}\` (${text})`)
    .join(', ');
}

function argsText(schema: ArgsSchema<unknown>): string {
  return Object.entries(schema.entries as Readonly<Record<string, Schema>>)
    .map(([name, entry]) => {
      const type = typeText(entry);
      return `\`${name}${entry.type === 'optional' ? '?' : ''}\`${type === '' ? '' : ` ${type}`}`;
    })
    .join(', ');
}

/** Empty for an argument that is not read: anything is accepted. */
function typeText({ type, wrapped, pipe }: Schema): string {
  const [first] = pipe ?? [];
  if (type === 'optional' && wrapped) return typeText(wrapped);
  if (type === 'nullable' && wrapped) return `${typeText(wrapped)} or null`;
  if (first && first.type !== type) return typeText(first);
  if (type === 'unknown') return '';
  return type === 'custom' ? 'object' : type;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
