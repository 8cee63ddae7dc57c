import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { changedByChmpx } from '../../src/ini/model/combinations.ts';
import type { Scalar } from '../../src/ini/model/keys.ts';
import {
  effective,
  forNode,
  inRingOrder,
  type ClusterModel,
  type ServerNode,
  type Settings,
  type SlaveNode,
} from '../../src/ini/model/model.ts';
import { renderIni } from '../../src/ini/text/render.ts';
import { validateRole } from '../../src/ini/model/validate.ts';
import { models } from '../ini/models.ts';
import { realPrograms } from '../story/programs.ts';
import { dumpOf, expectedDump } from './conftest-dump.ts';

const SEED = 20261122;
const RUNS = 200;

// chmpxconftest prints what chmpx's own parser made of a file, and nothing when it refuses it; its
// exit code is 0 either way. MODE = SLAVE, because a server must be one of this machine's names.
const conftest = path.join(path.dirname((await realPrograms()).program('chmpx')), 'chmpxconftest');
const isThere = existsSync(conftest);
// Packages of chmpx may lack it.
if (!isThere) process.stderr.write(`NOT JUDGED: there is no ${conftest}\n`);

it.runIf(isThere)(
  'chmpx reads every ini of ours as it is meant',
  { timeout: 300_000 },
  async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-judge-'));
    const file = path.join(directory, 'ring.ini');
    const read = async (model: ClusterModel): Promise<{ dump: string | null; stderr: string }> => {
      await writeFile(file, renderIni(forNode(model, 'own'), { origin: 'a test' }));
      const args = ['-conf', file, '-no_check_update', '-d', 'ERR'];
      const { stdout, stderr } = await execa(conftest, args, { stdin: 'ignore', timeout: 60_000 });
      return { dump: dumpOf(stdout), stderr };
    };
    const count = { asMeant: 0, nodes: 0, tls: 0, refused: 0, changed: 0 };
    const one = async (drawn: ClusterModel, tls: Tls, idType: string): Promise<void> => {
      const model = judgeable(drawn, tls, idType);
      const { dump, stderr } = await read(model);
      const { group, settings } = model.global;
      const refused = validateRole(model, { clusterName: group, cuk: 'own', mode: 'slave' });
      const notSane = refused.filter(({ kind }) => kind === 'not-sane').map(({ text }) => text);
      if (notSane.length > 0) {
        expect(dump, `we refuse it: ${notSane.join('; ')}`).toBeNull();
        count.refused += 1;
        return;
      }
      const meant = expectedDump(forNode(model, 'own'));
      if (changedByChmpx((key) => effective('GLOBAL', settings, key)).length > 0) {
        expect(dump, stderr).not.toBeNull();
        expect(dump).not.toBe(meant);
        count.changed += 1;
        return;
      }
      expect(dump, stderr).toBe(meant);
      count.asMeant += 1;
      count.nodes += model.servers.length + model.slaves.length;
      if (meant.includes('SERVER CERT')) count.tls += 1;
    };
    await fc.assert(
      fc.asyncProperty(models, fc.constantFrom(...TLS), fc.constantFrom(...ID_TYPES), one),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    );
    process.stdout.write(
      `${RUNS} models (seed ${SEED}): ${count.asMeant} read by chmpx as meant ` +
        `(${count.nodes} nodes, ${count.tls} files with TLS), ${count.refused} refused by us and ` +
        `by chmpx, ${count.changed} changed by chmpx as we say\n`,
    );
    expect(count.asMeant).toBeGreaterThan(RUNS / 4);
    expect(count.tls).toBeGreaterThan(RUNS / 20);
    expect(count.refused).toBeGreaterThan(RUNS / 20);
    expect(count.changed).toBeGreaterThan(0);
    await rm(directory, { recursive: true });
  },
);

/** `any`: nothing is put right, so that chmpx has something to refuse and to change. */
const TLS = ['none', 'on', 'verified', 'any'] as const;
type Tls = (typeof TLS)[number];
const ID_TYPES = ['NAME', 'CUK', 'CTLENDPOINTS', 'CTLEPS', 'CUSTOM'];
const TLS_KEYS = new Set(
  ['SSL', 'SSL_VERIFY_PEER', 'SSL_MIN_VER', 'CAPATH', 'NSSDB_DIR'].concat([
    'SERVER_CERT',
    'SERVER_PRIKEY',
    'SLAVE_CERT',
    'SLAVE_PRIKEY',
  ]),
);
const WITH_TLS: Settings = new Map<string, Scalar>([
  ['SSL', true],
  ['SSL_MIN_VER', 'TLSV1.2'],
  ['CAPATH', '/etc'],
  ['SERVER_CERT', '/etc/hostname'],
  ['SERVER_PRIKEY', '/etc/hosts'],
]);
const VERIFIED: Settings = new Map<string, Scalar>([
  ...WITH_TLS,
  ['CAPATH', '/etc/passwd'],
  ['SSL_VERIFY_PEER', true],
  ['SLAVE_CERT', '/etc/group'],
  ['SLAVE_PRIKEY', '/etc/passwd'],
]);

/**
 * The drawn model with what chmpxconftest could not judge put right: nodes of other machines, each
 * of its own name, files that exist, and keys of TLS that sometimes go together.
 */
function judgeable(drawn: ClusterModel, tls: Tls, idType: string): ClusterModel {
  const own = { none: new Map<string, Scalar>(), on: WITH_TLS, verified: VERIFIED, any: null }[tls];
  const settled = (settings: Settings): Settings =>
    new Map(
      [...settings].flatMap(([key, value]) => {
        if (own !== null && TLS_KEYS.has(key)) return [];
        if (key === 'CAPATH' || key === 'NSSDB_DIR') return [[key, '/etc'] as const];
        return TLS_KEYS.has(key) && typeof value === 'string' && !key.startsWith('SSL')
          ? [[key, '/etc/hostname'] as const]
          : [[key, value] as const];
      }),
    );
  const node = <T extends SlaveNode>(given: T, n: number): T => ({
    ...given,
    name: `n${n}-${given.name.replaceAll(/[^a-z0-9]/gi, '')}.invalid`,
    ...(given.cuk === undefined ? {} : { cuk: `${n}${given.cuk}` }),
    ...(given.seed === undefined ? {} : { seed: `${n}${given.seed}` }),
    settings: settled(given.settings),
  });
  const byEndpoints = own !== null && idType.startsWith('CTL');
  const complete = <T extends SlaveNode>(given: T, keys: string[]): T => ({
    ...given,
    ...(own === null ? {} : { cuk: given.cuk ?? given.name }),
    settings: new Map([
      ...(byEndpoints ? keys.map((key) => [key, given.name] as const) : []),
      ...given.settings,
    ]),
  });
  const global = new Map([...settled(drawn.global.settings), ...(own ?? [])]);
  global.set('MQACK', false).set('DELIVERMODE', 'hash');
  if (own !== null && tls !== 'none') {
    global.set('MAXCHMPX', 32_768);
    if (global.get('AUTOMERGE') === true) global.set('DOMERGE', true);
  }
  const [server = SERVER, ...servers] = drawn.servers;
  const [slave = SLAVE, ...slaves] = drawn.slaves;
  return {
    global: {
      ...drawn.global,
      group: drawn.global.group.replaceAll('/', '-'),
      mode: 'SLAVE',
      idType,
      settings: global,
    },
    servers: inRingOrder(
      [server, ...servers].map(node).map((one) => complete(one, ['ENDPOINTS', 'CTLENDPOINTS'])),
    ),
    slaves: inRingOrder([slave, ...slaves].map(node).map((one) => complete(one, ['CTLENDPOINTS']))),
    k2hdkc: undefined,
  };
}

const SLAVE: SlaveNode = { name: 'x', controlPort: 8031, settings: new Map() };
const SERVER: ServerNode = { ...SLAVE, cuk: 'x', port: 8020 };
