// What oslo.config and oslo.messaging take, this agent takes with the same meaning, or refuses. The judge is the
// real one; the cases are made of pieces in which the two could differ.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/base/errors.ts';
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

/** What the agent makes of it; undefined when it refuses it, in which case the start ends with 78. */
async function taken<T>(make: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return undefined;
  }
}

/** Compares case by case; the agent must take most of what the judge takes, or it proves nothing. */
function compare(
  cases: readonly unknown[],
  ours: readonly unknown[],
  theirs: readonly Judgement[],
) {
  const good = theirs.filter(({ refused }) => refused === undefined).length;
  const differ = cases.flatMap((one, at) => {
    const [mine, its] = [ours[at], theirs[at]];
    if (mine === undefined || its === undefined || its.refused !== undefined) return [];
    return JSON.stringify(mine) === JSON.stringify(its.value)
      ? []
      : [{ one, mine, its: its.value }];
  });
  const both = ours.filter((mine, at) => mine !== undefined && theirs[at]?.refused === undefined);
  expect(differ).toEqual([]);
  expect(good).toBeGreaterThan(cases.length / 5);
  expect(both.length).toBeGreaterThan(good / 2);
}

it('400 generated configuration files', async () => {
  random = randomFrom(SEEDS.files);
  const texts = Array.from({ length: 400 }, file);
  const where = path.join(await temporaryDirectory(), 'x.conf');
  const ours: unknown[] = [];
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
  compare(texts, ours, judged(texts.map((bytes) => ({ bytes, options }))));
});

it('600 generated URLs', async () => {
  random = randomFrom(SEEDS.urls);
  const urls = Array.from({ length: 600 }, url);
  const ours: unknown[] = [];
  for (const one of urls) {
    const read = await taken(() => parseTransportUrl(one));
    ours.push(
      read && [
        read.brokers.map(({ host, port, user, password, vhost }) => {
          return [host.toLowerCase(), port, user, password, vhost];
        }),
        read.options,
      ],
    );
  }
  compare(urls, ours, judged(urls.map((one) => ({ url: one }))));
});
