import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readIniText } from '../../src/cluster/ini-text.ts';
import { KEYS, type KeyKind, type Scalar, type SectionName } from '../../src/cluster/keys.ts';
import { inRingOrder, type ClusterModel, type Settings } from '../../src/cluster/model.ts';
import { parseRole } from '../../src/cluster/parse-role.ts';
import { renderIni } from '../../src/cluster/render.ts';
import { CUK1, roleModel } from './roles.ts';

const OPTIONS = { cuk: CUK1, origin: 'yrn:yahoo:::tenant0:resource:mycluster/server' };

describe('renderIni', () => {
  it('writes a ring as a person would', () => {
    const text = renderIni(roleModel('twoServers'), OPTIONS);
    expect(text.split('\n').slice(0, 8)).toEqual([
      '# Made by k2hdkc-guest-agent from yrn:yahoo:::tenant0:resource:mycluster/server.',
      '# Changes in this file are lost: it is written again when the role changes.',
      '',
      '[GLOBAL]',
      'FILEVERSION = 1',
      'DATE = Thu, 28 May 2020 04:56:20  0000',
      'GROUP = mycluster',
      'MODE = SERVER',
    ]);
    expect(text).toContain(`SELFCUK = ${CUK1}\n`);
    expect(text).toContain(
      '\n\n[SVRNODE]\nNAME = node2.novalocal\nCUK = 00000002-aaaa-4bbb-8ccc-000000000002\n' +
        'PORT = 8020\nCTLPORT = 8021\nCUSTOM_ID_SEED = node2.novalocal\nSSL = no\n\n[SLVNODE]\n',
    );
    expect(text.endsWith('K2HPAGESIZE = 512\nMAXTHREAD = 20\n')).toBe(true);
    expect(text).not.toMatch(/["'\\;]|\n\n\n/);
  });

  it('gives equal bytes for equal nodes, whatever order they come in', () => {
    const model = roleModel();
    const turned = { ...model, servers: model.servers.toReversed() };
    expect(renderIni(turned, OPTIONS)).toBe(renderIni(model, OPTIONS));
  });

  it('keeps its comment on one line, whatever it is told', () => {
    const text = renderIni(roleModel(), { cuk: CUK1, origin: 'a\n[EVIL]\nK={{x}}é' });
    expect(text.split('\n')[0]).toBe('# Made by k2hdkc-guest-agent from a?[EVIL]?K=??x???.');
  });

  it.each([
    ['a quote', 'a"b'],
    ['a second line', 'a\nCUK = evil'],
    ['a semicolon, which the package ini escapes', 'a;b'],
    ['an equals sign, which the package ini quotes', 'a=b'],
  ])('throws rather than writing a model with %s in it', (_what, file) => {
    const k2hdkc = new Map([['K2HFILE', file]]);
    expect(() => renderIni({ ...roleModel(), k2hdkc }, OPTIONS)).toThrow(
      /the ini for mycluster cannot be written/,
    );
  });

  it('writes what reads back as the same model', () => {
    fc.assert(
      fc.property(models, (model) => {
        const text = renderIni(model, { cuk: 'own', origin: 'a test' });
        const expected = { ...model, global: { ...model.global, selfCuk: 'own' } };
        expect(parseRole(text)).toEqual({ ok: true, model: expected });
        expect(readIniText(text).faults).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

const nameText = fc.stringMatching(/^[A-Za-z0-9.:-]{1,20}$/);
const seedText = fc.stringMatching(/^[A-Za-z0-9.-]{1,20}$/);
const plainText = fc.stringMatching(/^[!$%&()*+,./0-9:<>?@A-Z^a-z|~-]( ?[!$-&/0-9:A-Za-z]){0,12}$/);
const port = fc.integer({ min: 1, max: 32_767 });

/** Any value that a key of this kind may have. */
function valueOf(kind: KeyKind): fc.Arbitrary<Scalar> {
  switch (kind.is) {
    case 'port':
      return port;
    case 'integer':
      return fc.integer({ min: kind.least, max: kind.most });
    case 'boolean':
      return fc.boolean();
    case 'word':
      return fc.constantFrom(...kind.words);
    case 'self':
    case 'name':
      return nameText;
    case 'seed':
      return seedText;
    case 'hosts':
      return fc.array(seedText, { minLength: 1, maxLength: 4 }).map((hosts) => hosts.join(','));
    case 'path':
    case 'text':
      return plainText;
  }
}

/** Some of the keys of a section that have no field of their own in the model. */
function settingsOf(section: SectionName, fields: string[]): fc.Arbitrary<Settings> {
  const specs = KEYS[section].filter(({ name }) => !fields.includes(name));
  return fc
    .tuple(
      ...specs.map(({ name, kind, required }) =>
        fc.record({
          name: fc.constant(name),
          value: valueOf(kind),
          given: required ? fc.constant(true) : fc.boolean(),
        }),
      ),
    )
    .map((all) => new Map(all.filter((one) => one.given).map(({ name, value }) => [name, value])));
}

const NODE_FIELDS = ['NAME', 'CUK', 'PORT', 'CTLPORT', 'CUSTOM_ID_SEED'];
const GLOBAL_FIELDS = ['GROUP', 'MODE', 'CHMPXIDTYPE', 'SELFCTLPORT', 'SELFCUK'];

const slaves = fc.record(
  {
    name: nameText,
    controlPort: port,
    cuk: nameText,
    seed: seedText,
    settings: settingsOf('SLVNODE', NODE_FIELDS),
  },
  { requiredKeys: ['name', 'controlPort', 'settings'], noNullPrototype: true },
);
const servers = fc.record(
  {
    name: nameText,
    controlPort: port,
    port,
    cuk: nameText,
    seed: seedText,
    settings: settingsOf('SVRNODE', NODE_FIELDS),
  },
  { requiredKeys: ['name', 'controlPort', 'port', 'cuk', 'settings'], noNullPrototype: true },
);
const globals = fc.record(
  {
    group: plainText,
    mode: fc.constantFrom('SERVER', 'SLAVE'),
    idType: fc.constantFrom('NAME', 'CUSTOM'),
    selfControlPort: port,
    selfCuk: fc.constant('__SELF_INSTANCE_ID__'),
    settings: settingsOf('GLOBAL', GLOBAL_FIELDS),
  },
  { noNullPrototype: true },
);
const models: fc.Arbitrary<ClusterModel> = fc.record(
  {
    global: globals,
    servers: fc.array(servers, { maxLength: 4 }).map(inRingOrder),
    slaves: fc.array(slaves, { maxLength: 2 }).map(inRingOrder),
    k2hdkc: fc.option(settingsOf('K2HDKC', []), { nil: undefined }),
  },
  { noNullPrototype: true },
);
