// What oslo.config and oslo.messaging take, this agent takes with the same meaning, or refuses for one of the
// reasons that are written here. The judge is the real one; the cases are made of pieces in which the two could
// differ.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ConfigurationError, messageOf } from '../../../src/base/errors.ts';
import { readConfigFiles } from '../../../src/oslo/config-files.ts';
import { parseTransportUrl } from '../../../src/oslo/transport-url.ts';
import { projectRoot } from '../../helpers/project-root.ts';
import { randomFrom } from '../../helpers/random-from.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { writeFile } from 'node:fs/promises';

const JUDGE = path.join(projectRoot, 'test/peers/oslo/oslo_judge.py');
const GROUP = 'oslo_messaging_rabbit';
/** Each kind of case has its own numbers, whichever test runs alone. */
const SEEDS = { files: 20261130, urls: 20261201 };
let random = randomFrom(SEEDS.files);
const of = <T>(...some: readonly T[]): T => some[Math.floor(random() * some.length)] as T;
const many = (most: number, make: () => string): string =>
  Array.from({ length: Math.floor(random() * (most + 1)) }, make).join('');

type Judgement = { value: unknown; refused?: never } | { value?: never; refused: string };

function judged(cases: readonly unknown[]): Judgement[] {
  const input = JSON.stringify(cases);
  const out = execFileSync('/usr/bin/python3', [JUDGE], { input, maxBuffer: 2 ** 26 });
  return JSON.parse(out.toString()) as Judgement[];
}

const OPTIONS: readonly [string, string, 'string' | 'integer' | 'boolean', unknown][] = [
  ['DEFAULT', 'transport_url', 'string', 'rabbit://'],
  ['DEFAULT', 'control_exchange', 'string', 'openstack'],
  ['DEFAULT', 'plain', 'string', null],
  [GROUP, 'ssl', 'boolean', false],
  [GROUP, 'ssl_ca_file', 'string', ''],
  [GROUP, 'rabbit_qos_prefetch_count', 'integer', 0],
];

/** Text that stands for bytes: one character is one byte. */
function file(): string {
  const end = of('\n', '\n', '\n', '\r\n', '\r');
  const space = (): string => of('', ' ', '  ', '\t', '\x0b', '\x1f', '\xc2\xa0', '\xc2\x85');
  const word = (): string =>
    of(
      'a',
      'value',
      'p$$w',
      String.raw`p\$w`,
      String.raw`$\$plain`,
      '$plain',
      '${other}',
      '$',
      '#x',
    ) + of('', '', ';y', '=', ' = z', '"', "'", '$', '\xc3\xa4', '\xef\xbb\xbf');
  const value = (): string => {
    const text = many(2, word);
    return of(text, text, `"${text}"`, `'${text}'`, `"${text}`, '"', '');
  };
  const typed = (): string =>
    of('true', 'Yes', ' 0 ', 'off', '7', '007', '+3', '1_000', '-1', '', 'x');
  const option = (): string => {
    const [, name, type] = of(...OPTIONS);
    const key = of(name, name, name, 'other', 'plain');
    const text = type === 'string' || key !== name ? value() : of(typed(), typed(), value());
    const more = many(1, () => `${end}${of(' ', '\t')}${word()}`);
    return `${space()}${key}${space()}${of('=', '=', ':')}${space()}${text}${space()}${more}`;
  };
  const line = (): string =>
    of(
      option,
      option,
      option,
      option,
      () => `[${of(GROUP, 'DEFAULT', 'Oslo_Messaging_Rabbit', 'default', 'x')}]${space()}`,
      () =>
        [
          `[${GROUP}]`,
          of('ssl = yes', 'rabbit_qos_prefetch_count = 007', 'ssl_ca_file = x'),
          `ssl_ca_file = ${of('$ssl', '$rabbit_qos_prefetch_count', 'y')}`,
        ].join(end),
      () => of('# a comment', '; another', '', '  ', '#'),
    )();
  const begin = of(
    '[DEFAULT]',
    '[DEFAULT]',
    '[DEFAULT]',
    `[${GROUP}]`,
    '\xef\xbb\xbf[DEFAULT]',
    '',
  );
  return [begin, ...Array.from({ length: 1 + Math.floor(random() * 7) }, line), ''].join(end);
}

function url(): string {
  const piece = (): string =>
    of(
      'u',
      'trove',
      'a.b',
      '%40',
      '%2F',
      '%25',
      '%252F',
      '%zz',
      '%',
      '+',
      '%C3%A4',
      '%ff',
      'ä',
      '$',
      '!',
      ' ',
    );
  const host = (): string =>
    of(
      'h',
      'mq1.example',
      '10.0.0.1',
      '[::1]',
      '[2001:db8::1]',
      '[fe80::1%25eth0]',
      'H',
      '::1',
      '[::1',
      '',
      'a%2eb',
    );
  const port = (): string =>
    of('', '', ':5672', ':5673', ':', ':0', ':65535', ':65536', ':x', ': 5672', ':05672', ':-1');
  const login = (): string =>
    of(
      '',
      `${many(2, piece)}:${many(2, piece)}@`,
      `u${many(1, piece)}:p${many(2, piece)}@`,
      'u@',
      ':p@',
      'u:p:q@',
      'a@b:p@',
    );
  const wrap = (): string => of('', '', '', '\n', '\r\n', '\t', '\n  ');
  const one = (): string => `${login()}${host()}${port()}`;
  const hosts = of(
    one(),
    one(),
    `${one()},${wrap()}${one()}`,
    `${one()},${one()},${one()}`,
    `${one()},`,
    '',
  );
  const vhost = of(
    '',
    '/',
    '/v',
    '//',
    '//v',
    '/%2Fv',
    '/a/b',
    `/${many(2, piece)}`,
    '/a;b',
    '/a%3Fb',
    '/a%23b',
    '/%252F',
    '/v ',
  );
  const query = of(
    '',
    '',
    '?ssl=1',
    '?a=x+y&a=2',
    '?ssl=',
    '?ssl',
    '?a=%zz&b=%C3%A4',
    '?a=1;b=2',
    '?a=1#f',
    '#f',
  );
  const scheme = of('rabbit', 'rabbit', 'rabbit', 'kombu', 'RABBIT', ' rabbit', '\n rabbit');
  return `${scheme}://${hosts}${vhost}${query}`;
}

/** What the agent makes of a case: its value, or the reason of its refusal, with which the start ends with 78. */
type Taken = { value: unknown; refused?: never } | { value?: never; refused: string };

async function taken(make: () => unknown): Promise<Taken> {
  try {
    return { value: await make() };
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return { refused: messageOf(error) };
  }
}

interface Difference {
  name: string;
  is: RegExp;
  why: string;
}

/** What the agent refuses although oslo takes it, by its own reason. */
const REFUSED_HERE: Record<'files' | 'urls', Difference[]> = {
  files: [
    {
      name: 'a reference to an option that is not set',
      is: /a "\$" refers to an option that is not set/,
      why: 'oslo.config takes the default that the code of a Python service registers for it, or nothing; the agent does not know those',
    },
    {
      name: 'a reference to a number, true or false',
      is: /a "\$" refers to a number or to true or false/,
      why: 'oslo.config writes the value as Python shows it (True, 7), whatever the file says',
    },
    {
      name: 'an empty number',
      is: /is "", which is not a whole number/,
      why: 'oslo.config makes it None, with which the driver fails later where it compares or counts',
    },
  ],
  urls: [
    {
      name: 'a vhost that kombu cuts off',
      is: /a vhost with one of \? # ; in it/,
      why: 'the driver decodes it and kombu reads it again: it would use another vhost than the URL names',
    },
    {
      name: 'a port 0 or with a space',
      is: /is not host:port/,
      why: "Python's int() takes the space, and 0 counts as no port: both are rather a slip than 5672",
    },
  ],
};

/** What the agent takes although oslo refuses it, by the reason of that. */
const TAKEN_HERE: Record<'files' | 'urls', Difference[]> = {
  files: [],
  urls: [
    {
      name: 'a slash in a user or password',
      is: /no host|no port|Port could not be cast/,
      why: 'the driver decodes it and leaves it so in the URL for kombu, which then ends the host there; the broker itself has no trouble with it',
    },
    {
      name: 'several hosts of which one is in brackets',
      is: /does not appear to be an IPv4 or IPv6 address|cannot be in brackets|Invalid IPv6 URL/,
      why: "Python's urlsplit takes all hosts for one, and newer ones look at what is in brackets; which order they take depends on their patch",
    },
  ],
};

/**
 * Compares case by case. What both take must have the same value; what one of them refuses must be a known
 * difference, and each of those must occur, or it is none any more.
 */
function compare(
  kind: 'files' | 'urls',
  cases: readonly unknown[],
  ours: readonly Taken[],
  theirs: readonly Judgement[],
): void {
  const counts = new Map<string, number>();
  const unknown: unknown[] = [];
  const count = (name: string | undefined, what: unknown): void => {
    if (name === undefined) unknown.push(what);
    else counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  const named = (known: Difference[], reason: string): string | undefined =>
    known.find(({ is }) => is.test(reason))?.name;
  for (const [at, one] of cases.entries()) {
    const [mine, its] = [ours[at], theirs[at]];
    if (mine === undefined || its === undefined) throw new Error('a case without a judgement');
    if (mine.refused !== undefined && its.refused !== undefined) count('both refuse', one);
    else if (mine.refused !== undefined) {
      count(named(REFUSED_HERE[kind], mine.refused), { one, refusedHere: mine.refused });
    } else if (its.refused !== undefined) {
      count(named(TAKEN_HERE[kind], its.refused), { one, mine: mine.value, refused: its.refused });
    } else if (JSON.stringify(mine.value) === JSON.stringify(its.value)) count('the same', one);
    else unknown.push({ one, mine: mine.value, its: its.value });
  }
  expect(unknown).toEqual([]);
  const known = [...REFUSED_HERE[kind], ...TAKEN_HERE[kind]].map(({ name }) => name);
  expect([...counts.keys()].sort()).toEqual(['both refuse', 'the same', ...known].sort());
  expect(counts.get('the same')).toBeGreaterThan(cases.length / 10);
}

it('400 generated configuration files', async () => {
  random = randomFrom(SEEDS.files);
  const texts = Array.from({ length: 400 }, file);
  const where = path.join(await temporaryDirectory(), 'x.conf');
  const ours: Taken[] = [];
  for (const text of texts) {
    await writeFile(where, text, 'latin1');
    const values = await taken(async () => {
      const config = await readConfigFiles([{ file: where }]);
      return OPTIONS.map(([group, option, type, fallback]) =>
        config[type](group, option, fallback),
      );
    });
    ours.push(values);
  }
  const options = OPTIONS.map(([group, option]) => [group, option]);
  compare('files', texts, ours, judged(texts.map((bytes) => ({ bytes, options }))));
});

it('600 generated URLs', async () => {
  random = randomFrom(SEEDS.urls);
  const urls = Array.from({ length: 600 }, url);
  const ours: Taken[] = [];
  for (const one of urls) {
    const read = await taken(() => {
      const { brokers, options } = parseTransportUrl(one);
      const places = brokers.map(({ host, port, user, password, vhost }) => {
        return [host.toLowerCase(), port, user, password, vhost];
      });
      return [places, options];
    });
    ours.push(read);
  }
  compare('urls', urls, ours, judged(urls.map((one) => ({ url: one }))));
});
