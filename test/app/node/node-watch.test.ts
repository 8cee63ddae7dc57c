import { mkdir, readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createNodeWatch, type NodeWatchOptions } from '../../../src/app/node/node-watch.ts';
import type { Finding } from '../../../src/ring/watch/concerns.ts';
import type { PlaceView } from '../../../src/network/ring-place.ts';
import type { Snapshot } from '../../../src/node/reconciler.ts';
import { statusFile } from '../../../src/node/status-file.ts';
import type { StatusDocument } from '../../../src/node/status-document.ts';
import { ManualClock } from '../../base/manual-clock.ts';
import { until } from '../../helpers/until.ts';
import { desiredState, observed } from '../../node/builders.ts';
import { configured, configuredSlave } from '../configured.ts';
import { recordedWorld } from '../world.ts';

/** The watch of a node whose programs do not run, and whose reconciler a test writes. */
async function bench(mode: 'server' | 'slave') {
  const { agent: config } = mode === 'slave' ? await configuredSlave() : await configured();
  const directory = config.paths.state_dir;
  await mkdir(directory);
  const clock = new ManualClock();
  const { world } = recordedWorld();
  const reconciler: { snapshot: Snapshot | null; wake: () => void } = {
    snapshot: null,
    wake: () => undefined,
  };
  const split = { forget: () => undefined, giveIn: null };
  const unread: Finding[] = [];
  const role = { findings: () => unread, view: () => ({}) };
  const place: { view: PlaceView } = { view: { network: null, problem: null, problemMs: 0 } };
  const routes: { problem: string | null } = { problem: null };
  const programs = { chmpx: { running: null }, k2hdkc: { running: null } };
  const node = { ...programs, split, role, place, routes };
  const watch = createNodeWatch({
    ...world,
    clock,
    config,
    version: '1.2.3',
    node: node as unknown as NodeWatchOptions['node'],
    reconciler,
  });
  const serving = (state: 'serving' | 'starting', step?: Snapshot['step']): void => {
    reconciler.snapshot = {
      desired: desiredState({ mode }),
      observed: observed(),
      state,
      step: step ?? { kind: 'rest', why: state },
    };
  };
  /** What is on disk when it is of this state. */
  const shown = (state: string): Promise<StatusDocument> =>
    until(`status.json says ${state}`, async () => {
      watch.look();
      const text = await readFile(statusFile(directory), 'utf8').catch(() => 'null');
      const document = JSON.parse(text) as StatusDocument | null;
      return document?.node.state === state && document;
    });
  const onDisk = (): Promise<string> => readFile(statusFile(directory), 'utf8');
  return { clock, serving, shown, watch, onDisk, unread, place, routes };
}

it('keeps what is known before the first look', async () => {
  const { shown } = await bench('server');
  expect(await shown('unknown')).toMatchObject({
    agent: { version: '1.2.3', pid: process.pid },
    trove: null,
    programs: { chmpx: null, k2hdkc: null },
    ring: null,
  });
});

it('says what Trove is told of a server, and nothing of a slave', async () => {
  const server = await bench('server');
  server.serving('serving');
  expect(await server.shown('serving')).toMatchObject({ mode: 'server', trove: 'healthy' });
  const slave = await bench('slave');
  slave.serving('serving');
  expect(await slave.shown('serving')).toMatchObject({ mode: 'slave', trove: null });
});

it('says since when the node is what it is', async () => {
  const { clock, serving, shown } = await bench('server');
  await clock.advance(1_000);
  serving('starting');
  const { node: first } = await shown('starting');
  await clock.advance(60_000);
  const { node: same } = await shown('starting');
  serving('serving');
  const { node: changed } = await shown('serving');
  expect([first.since, same.since, changed.since]).toEqual([
    '1970-01-01T00:00:01.000Z',
    '1970-01-01T00:00:01.000Z',
    '1970-01-01T00:01:01.000Z',
  ]);
});

it('says after 30 s that the node does not get on, and why', async () => {
  const { clock, serving, shown } = await bench('server');
  const why = 'registering in K2HR3 (connection refused)';
  serving('starting', { kind: 'wait', why });
  expect((await shown('starting')).concerns).toEqual([]);
  await clock.advance(30_000);
  const concerned = await until('somebody is concerned', async () => {
    const document = await shown('starting');
    return document.concerns.length > 0 && document;
  });
  expect(concerned.concerns).toMatchObject([
    {
      kind: 'waits',
      since: '1970-01-01T00:00:00.000Z',
      text: expect.stringContaining(why) as string,
    },
  ]);
  serving('serving');
  expect((await shown('serving')).concerns).toEqual([]);
});

it('ends when what it saw last is on disk, and writes nothing any more', async () => {
  const { watch, serving, onDisk } = await bench('server');
  const ending = new AbortController();
  const running = watch.run(ending.signal);
  serving('serving');
  watch.look();
  ending.abort();
  await running;
  const last = await onDisk();
  expect(JSON.parse(last)).toMatchObject({ node: { state: 'serving' } });
  serving('starting');
  watch.look();
  await setImmediate();
  expect(await onDisk()).toBe(last);
});

it('shows what concerns somebody about the role, and that it is over', async () => {
  const { serving, shown, unread } = await bench('server');
  unread.push({ kind: 'role-unread', subject: 'role', text: 'not read', patienceMs: 0 });
  serving('serving');
  expect((await shown('serving')).concerns).toMatchObject([{ kind: 'role-unread' }]);
  unread.pop();
  serving('starting');
  expect((await shown('starting')).concerns).toEqual([]);
});

it('shows a network that is wrong, and routes that are missing, when that lasts', async () => {
  const { clock, serving, shown, place, routes } = await bench('server');
  place.view = { network: null, problem: 'ens3 is down', problemMs: 1 };
  routes.problem = 'ip is not installed';
  serving('serving');
  const first = await shown('serving');
  expect(first.concerns).toEqual([]);
  expect(first.network).toMatchObject({ kind: null, problem: 'ens3 is down' });
  await clock.advance(60_000);
  serving('starting');
  expect((await shown('starting')).concerns).toMatchObject([
    { kind: 'network', text: 'ens3 is down' },
    { kind: 'network', text: 'ip is not installed' },
  ]);
});
