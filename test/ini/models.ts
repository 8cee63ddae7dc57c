import fc from 'fast-check';
import { KEYS, type KeyKind, type Scalar, type SectionName } from '../../src/ini/model/keys.ts';
import { inRingOrder, type ClusterModel, type Settings } from '../../src/ini/model/model.ts';

const nameText = fc.stringMatching(/^[A-Za-z0-9.:-]{1,20}$/);
const seedText = fc.stringMatching(/^[A-Za-z0-9.-]{1,20}$/);
const plainText = fc.stringMatching(/^[!$%&()*+,./0-9:<>?@A-Z^a-z|~-]( ?[!$-&/0-9:A-Za-z]){0,12}$/);
const port = fc.integer({ min: 1, max: 32_767 });
const host = fc
  .tuple(
    fc.oneof(
      fc.ipV4(),
      seedText.map((text) => `h${text}`),
    ),
    fc.option(port),
  )
  .map(([name, at]) => (at === null ? name : `${name}:${at}`));

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
    case 'choice':
    case 'name':
      return nameText;
    case 'seed':
      return seedText;
    case 'hosts':
      return fc.array(host, { minLength: 1, maxLength: 4 }).map((hosts) => hosts.join(','));
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
/** Any model that the renderer may be given, sane or not. */
export const models: fc.Arbitrary<ClusterModel> = fc.record(
  {
    global: globals,
    servers: fc.array(servers, { maxLength: 4 }).map(inRingOrder),
    slaves: fc.array(slaves, { maxLength: 2 }).map(inRingOrder),
    k2hdkc: fc.option(settingsOf('K2HDKC', []), { nil: undefined }),
  },
  { noNullPrototype: true },
);
