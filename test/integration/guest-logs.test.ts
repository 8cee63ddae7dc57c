import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../helpers/until.ts';
import { Broker } from '../peers/broker.ts';
import type { SwiftAccount } from '../peers/swift/account.ts';
import type { FaultDoor } from '../peers/swift/fault-door.ts';
import { SwiftPeer } from '../peers/swift/swift-peer.ts';
import { DEFAULT_TENANT } from '../peers/trove/guest-files.ts';
import { LogClient } from '../peers/trove/log-client.ts';
import { standIns } from '../story/programs.ts';
import { Stage, type Actor } from '../story/stage.ts';

const CONTAINER = 'database_logs';
const LIMIT = 20_000;

let directory: string;
let stage: Stage;
let swift: SwiftPeer;
let account: SwiftAccount;
let door: FaultDoor;
let user: LogClient;
let administrator: LogClient;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-logs-'));
  stage = await Stage.open(new Broker(inject('broker')), directory, await standIns(directory));
  swift = await SwiftPeer.start({ projects: [DEFAULT_TENANT] });
  account = await swift.account(DEFAULT_TENANT);
  door = await swift.door();
  user = await LogClient.start(stage.trove, { account, isAdmin: false });
  administrator = await LogClient.start(stage.trove, { account, isAdmin: true });
});

afterAll(async () => {
  user.close();
  administrator.close();
  door.close();
  await swift.stop();
  await stage.close();
  await rm(directory, { recursive: true });
});

afterEach(() => door.clear());

/** A node in service whose logs can be published, by way of the door. */
async function serving(name: string): Promise<Actor> {
  const actor = await stage.actor(name);
  const { vm } = actor;
  await writeFile(
    vm.path('conf.d/zz-logs.conf'),
    `[DEFAULT]\nswift_url = ${door.url('')}\nguest_log_limit = ${LIMIT}\n` +
      'guest_log_expiry = 86400\n[k2hdkc]\nguest_log_exposed_logs = chmpx,k2hdkc\n',
  );
  await vm.startAgent();
  await vm.untilLog(/AMQP session ready/);
  await stage.prepare(actor, { clustered: false });
  await stage.trove.waitForStatus(actor.id, 'healthy');
  return actor;
}

const output = ({ vm }: Actor, program: string): string => vm.path(`state/programs/${program}.out`);

/** So many numbered lines of 100 bytes. */
function lines(from: number, count: number): string {
  const all = Array.from({ length: count }, (_, n) => `${from + n} é`.padEnd(98, 'x'));
  return all.map((line) => `${line}\n`).join('');
}

/** What `log-save` writes. */
async function saved(client: LogClient, { id, vm }: Actor, log: string): Promise<string> {
  const file = vm.path(`saved-${log}`);
  await client.run('log-save', id, log, { file });
  return readFile(file, 'utf8');
}

// Its tables show texts as Python writes bytes: b'Ready'.
describe("with python-troveclient's own code", () => {
  it('a log is listed, shown, published, followed and saved, byte for byte', async () => {
    const actor = await serving('client');
    const { id } = actor;
    expect(await user.run('log-tail', id, 'chmpx')).toMatch(/No published 'chmpx' log/);
    await appendFile(output(actor, 'chmpx'), lines(0, 500));
    const whole = await readFile(output(actor, 'chmpx'), 'utf8');
    const bytes = Buffer.byteLength(whole);

    const list = await user.run('log-list', id);
    expect(list).toMatch(/chmpx' +\| b'USER' \| b'Ready'/);
    expect(list).not.toContain('agent');
    const published = await user.run('log-publish', id, 'chmpx');
    expect(published).toMatch(/status +\| Published/);
    expect(published).toMatch(new RegExp(String.raw`published +\| ${bytes} `));
    expect(published).toMatch(/container +\| database_logs/);

    expect(await saved(user, actor, 'chmpx')).toBe(whole);
    expect(await user.run('log-tail', id, 'chmpx', { lines: 30 })).toBe(lines(470, 30));
    // Over the end of an object.
    expect(await user.run('log-tail', id, 'chmpx', { lines: 350 })).toBe(lines(150, 350));

    await appendFile(output(actor, 'chmpx'), lines(500, 3));
    expect(await user.run('log-show', id, 'chmpx')).toMatch(/status +\| Partial/);
    await user.run('log-publish', id, 'chmpx');
    expect(await saved(user, actor, 'chmpx')).toBe(`${whole}${lines(500, 3)}`);
    expect(await user.run('log-tail', id, 'chmpx', { lines: 2 })).toBe(lines(501, 2));

    const names = (await account.names(CONTAINER)).filter((name) => name.startsWith(id));
    expect(names.filter((name) => name.startsWith(`${id}/k2hdkc-chmpx/log-`)).length).toBe(4);
    for (const name of names) {
      const { headers } = await account.head(CONTAINER, name);
      expect(Number(headers.get('x-delete-at'))).toBeGreaterThan(0);
    }

    await user.run('log-discard', id, 'chmpx');
    expect((await account.names(CONTAINER)).filter((name) => name.startsWith(id))).toEqual([]);
    expect(await user.run('log-tail', id, 'chmpx')).toMatch(/No published 'chmpx' log/);
  });

  it('the log of the agent is for administrators', async () => {
    const { id } = await serving('agent');
    expect(await user.run('log-show', id, 'agent')).toContain(
      "You must be admin to show log 'agent'",
    );
    expect(await administrator.run('log-list', id)).toMatch(/agent' +\| b'SYS' +\| b'Ready'/);
    await administrator.run('log-publish', id, 'agent');
    const tail = await administrator.run('log-tail', id, 'agent', { lines: 1000 });
    expect(tail).toContain('AMQP session ready');
    expect(tail).toContain('publishing a guest log');
  });

  it('no secret leaves, whoever wrote it into which log', async () => {
    const actor = await serving('canaries');
    const { id, vm, secrets } = actor;
    const canaries = [...secrets, account.token, stage.broker.url(stage.vhost)];
    const planted = canaries.map((canary) => `before ${canary} after\n`).join('');
    for (const log of ['chmpx', 'k2hdkc']) await appendFile(output(actor, log), planted);
    await appendFile(vm.path('agent.log'), planted);
    for (const log of ['chmpx', 'k2hdkc', 'agent']) {
      await administrator.run('log-publish', id, log);
      const text = await saved(administrator, actor, log);
      expect(text.match(/before \[secret\] after\n/g)).toHaveLength(canaries.length);
    }
    const names = (await account.names(CONTAINER)).filter((name) => name.startsWith(id));
    for (const name of names) {
      const { body } = await account.get(CONTAINER, name);
      for (const canary of canaries) expect(body.toString()).not.toContain(canary);
    }
  });
});

describe('nothing is lost and nothing is sent twice', () => {
  it('when the output is rotated and the VM boots in between', async () => {
    const actor = await serving('rotated');
    const { id, vm } = actor;
    const file = output(actor, 'k2hdkc');
    await appendFile(file, lines(0, 5000));
    await user.run('log-publish', id, 'k2hdkc');
    await appendFile(file, lines(5000, 7000)); // 1.2 MB in all: over the limit
    const rotated = await readFile(file, 'utf8');
    await until('the agent rotates it', async () => (await stat(file)).size < 1_000_000);
    await appendFile(file, lines(12_000, 10));
    await vm.endAgent('SIGKILL');
    vm.kill('k2hdkc');
    vm.kill('chmpx');
    await vm.startAgent();
    await vm.untilServing();
    await appendFile(file, lines(13_000, 10));
    const text = rotated + (await readFile(file, 'utf8'));
    await user.run('log-publish', id, 'k2hdkc');
    expect(await saved(user, actor, 'k2hdkc')).toBe(text);
  });

  it('when Swift fails in the middle, and the agent is killed', async () => {
    const actor = await serving('faults');
    const { id, vm } = actor;
    await appendFile(output(actor, 'chmpx'), lines(0, 1500));
    const whole = await readFile(output(actor, 'chmpx'), 'utf8');
    const objects = /log-/;
    door.add({
      fault: { kind: 'answer', status: 403, when: 'stored' },
      method: 'PUT',
      path: objects,
      skip: 2,
      times: 1,
    });
    expect(await user.run('log-publish', id, 'chmpx')).toContain('403');
    door.clear();
    door.add({
      fault: { kind: 'stall', way: 'request', afterBytes: 1000 },
      method: 'PUT',
      path: objects,
      skip: 1,
    });
    const asking = user.run('log-publish', id, 'chmpx').catch(() => 'given up');
    const stalled = () => door.requests.filter(({ method }) => method === 'PUT').length;
    const before = stalled();
    await until('an object is on its way', () => stalled() >= before + 2);
    await vm.endAgent('SIGKILL');
    door.clear();
    await vm.startAgent();
    await vm.untilServing();
    await asking;
    await user.run('log-publish', id, 'chmpx');
    const text = await saved(user, actor, 'chmpx');
    expect(text.slice(0, whole.length)).toBe(whole);
    expect(text).toBe(await readFile(output(actor, 'chmpx'), 'utf8'));
  });
});
