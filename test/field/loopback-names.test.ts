// A VM whose host name is `localhost`, and a role with such a server: the name means another machine on
// each machine, so that every server takes it for itself.
import { describe, expect, it } from 'vitest';
import { mkdir, writeFile } from 'node:fs/promises';
import { createNodeRole } from '../../src/app/node/node-role.ts';
import { isLoopbackAddress, isLoopbackName } from '../../src/host/loopback.ts';
import type { ResolveName } from '../../src/host/resolve-name.ts';
import { DesiredStateStore } from '../../src/node/desired-state.ts';
import { RoleGate } from '../../src/role/role-gate.ts';
import type { RoleDocument } from '../../src/role/role-document.ts';
import { configured } from '../app/configured.ts';
import { recordedWorld } from '../app/world.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { iniOf } from '../ini/roles.ts';
import { desiredState, PARAMETERS } from '../node/builders.ts';

describe('of names and addresses', () => {
  it.each([
    ['localhost'],
    ['LOCALHOST'],
    ['localhost.'],
    ['localhost.localdomain'],
    ['localhost.novalocal'],
    ['localhost6.localdomain6'],
    ['node1.localhost'],
    ['127.0.0.1'],
    ['127.8.9.10'],
    ['0.0.0.0'],
    ['::1'],
    ['0:0:0:0:0:0:0:1'],
    ['::'],
    ['::ffff:127.0.0.1'],
  ])('%s is one', (name) => {
    expect(isLoopbackName(name)).toBe(true);
  });

  it.each([
    ['node1'],
    ['node1.novalocal'],
    ['localhosts'],
    ['my-localhost.example'],
    ['localhost1.example'],
    ['128.0.0.1'],
    ['10.127.0.1'],
    ['::2'],
    ['fe80::1'],
    ['::ffff:10.0.0.1'],
    ['2001:db8::1'],
  ])('%s is none', (name) => {
    expect(isLoopbackName(name)).toBe(false);
    expect(isLoopbackAddress(name)).toBe(false);
  });
});

/** Judges a ring of these servers, of which the first is this node. */
function judge(servers: string[], resolve: ResolveName, loopback = false): Promise<unknown> {
  const [self = '', ...others] = servers;
  const document: RoleDocument = {
    ini: { ...iniOf(), text: self },
    servers,
    cuks: new Set(servers),
    neighbours: others.map((name) => ({ name, controlPort: 8021, before: false })),
    dataDirectory: null,
    k2h: null,
    roleFile: null,
  };
  const parse = (): RoleDocument => document;
  const gate = new RoleGate({
    parse,
    resolve,
    loopback,
    whyOutside: () => Promise.resolve(null),
    clock: new ManualClock(),
  });
  return gate.judge('', desiredState(), null);
}

const at =
  (addresses: Record<string, string[]>): ResolveName =>
  (name) =>
    Promise.resolve(addresses[name] ?? ['192.0.2.1']);

describe('a role', () => {
  const reason = (name: string): string =>
    `[SVRNODE] NAME ${name} is a loopback address here, and so another machine on each: set the host name of the VM that registered as ${name}, and take the entry out of the role`;

  it.each([
    ['another server is localhost', ['node1', 'localhost'], 'localhost'],
    ['this one is', ['127.0.0.1', 'node2'], '127.0.0.1'],
    [
      'another one is localhost with a domain',
      ['node1', 'localhost.novalocal'],
      'localhost.novalocal',
    ],
  ])('in which %s is refused', async (_, servers, name) => {
    await expect(judge(servers, at({}))).rejects.toMatchObject({
      name: 'RoleRefusedError',
      message: expect.stringContaining(reason(name)) as string,
    });
  });

  it('in which the name of another one leads to loopback addresses only is refused', async () => {
    const addresses = { node2: ['127.0.1.1', '::1'] };
    await expect(judge(['node1', 'node2'], at(addresses))).rejects.toThrow(reason('node2'));
  });

  it.each([
    ['a server has another address too', ['node1', 'node2'], { node2: ['127.0.1.1', '192.0.2.2'] }],
    [
      'this VM finds itself at 127.0.1.1, as Debian writes it',
      ['node1', 'node2'],
      { node1: ['127.0.1.1'] },
    ],
    ['there is one server', ['localhost'], { localhost: ['127.0.0.1'] }],
  ])('in which %s is taken', async (_, servers, addresses) => {
    await expect(judge(servers, at(addresses))).resolves.toMatchObject({ kind: 'good' });
  });

  it('is taken when the whole ring is on this machine, by node.source_address', async () => {
    const resolve = at({ '127.0.0.12': ['127.0.0.12'] });
    await expect(judge(['127.0.0.11', '127.0.0.12'], resolve, true)).resolves.toMatchObject({
      kind: 'good',
    });
  });
});

describe('an agent', () => {
  /** Why an agent with this in agent.yaml does not register. */
  async function refusal(node: string): Promise<unknown> {
    const settings = await configured({ agentYaml: `node: ${node}\n` });
    const { state_dir: directory, instance_id_file: idFile } = settings.agent.paths;
    await mkdir(directory);
    await writeFile(idFile, 'i-0000002a\n');
    const { membership } = await createNodeRole({
      ...recordedWorld().world,
      settings,
      desired: await DesiredStateStore.open(directory),
      access: () =>
        Promise.resolve({
          apiUri: 'http://127.0.0.1:1',
          roleName: 'yrn:yahoo:::tenant0:role:mycluster/server',
          tenant: 'yrn:yahoo:::tenant0',
          roleToken: 'token',
        }),
      onRole: () => undefined,
    });
    const { signal } = new AbortController();
    return membership.register(PARAMETERS, signal).catch((error: unknown) => error);
  }

  it.each(['localhost', 'localhost.novalocal', '127.0.0.1'])(
    'does not register as %s, and says what to do',
    async (name) => {
      expect(await refusal(`{ name: ${name} }`)).toMatchObject({
        retryable: true,
        message: `this VM would register as ${name}, which is every VM's name for itself: set node.name in agent.yaml to a name that the others can resolve`,
      });
    },
  );

  it('gets as far as K2HR3 with another name, and on loopback addresses', async () => {
    expect(String(await refusal('{ name: node1.novalocal }'))).toContain('127.0.0.1:1');
    const own = '{ name: 127.0.0.11, source_address: 127.0.0.11 }';
    expect(String(await refusal(own))).toContain('127.0.0.1:1');
  });
});
