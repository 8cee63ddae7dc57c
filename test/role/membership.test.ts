import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { DesiredStateStore } from '../../src/node/desired-state.ts';
import { Membership, type MembershipOptions } from '../../src/role/membership.ts';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import { Secrets } from '../../src/base/secrets.ts';
import type { ResolveName } from '../../src/host/resolve-name.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { startK2hr3, type K2hr3StandIn } from '../simulators/k2hr3/stand-in.ts';
import { desiredState } from '../node/builders.ts';

const ADDRESS = '127.0.0.11';
const CUK = '00000001-aaaa-4bbb-8ccc-000000000001';
const PORTS = { serverPort: 8020, serverControlPort: 8021, slaveControlPort: 8031 };
const never = new AbortController().signal;
let k2hr3: K2hr3StandIn;
let cluster: ReturnType<K2hr3StandIn['addCluster']>;

beforeEach(async () => {
  k2hr3 = await startK2hr3();
  cluster = k2hr3.addCluster({ cluster: 'mycluster', ...PORTS });
});
afterEach(() => k2hr3.stop());

interface Bench {
  membership: Membership;
  desired: DesiredStateStore;
  files: string;
  lines: string[];
  secrets: Secrets;
  register: (extdataUrl?: string) => Promise<void>;
  /** Reads the role as the role watch does, and tells how that failed. */
  read: () => Promise<unknown>;
  /** Moves the clock that 401s are counted by. */
  pass: (ms: number) => void;
}

const elsewhere: ResolveName = () => Promise.resolve(['192.0.2.9']);

async function bench(
  resolve = elsewhere,
  tag = 'node1.novalocal',
  more: Partial<MembershipOptions> = {},
): Promise<Bench> {
  const directory = await temporaryDirectory();
  const files = path.join(directory, 'antpickax');
  const desired = await DesiredStateStore.open(directory);
  const parameters = (extdataUrl: string) => ({ clusterName: 'mycluster', extdataUrl });
  await desired.update(
    desiredState({ parameters: parameters(cluster.extdataUrl), registration: null }),
  );
  let ahead = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + ahead };
  const secrets = new Secrets();
  const lines: string[] = [];
  const membership = new Membership({
    desired,
    http: { clock: systemClock, localAddress: ADDRESS },
    cuk: () => Promise.resolve(CUK),
    nodeName: () => Promise.resolve(tag),
    filesDirectory: files,
    retry: { firstMs: 2_000, capMs: 2_000 },
    resolve,
    secrets,
    clock,
    random: () => 0.5,
    ...more,
    log: pino({ level: 'debug' }, { write: (line: string) => lines.push(line) }),
  });
  return {
    membership,
    desired,
    files,
    lines,
    secrets,
    register: async (extdataUrl = cluster.extdataUrl) => {
      await desired.update({ parameters: parameters(extdataUrl) });
      await membership.register(parameters(extdataUrl), never);
    },
    read: () => {
      const { registration } = desired.current;
      if (registration === null) throw new Error('not registered');
      return membership.read(registration, undefined, never).then(
        () => null,
        (error: unknown) => error,
      );
    },
    pass: (ms) => {
      ahead += ms;
    },
  };
}

const cuks = (): string[] => k2hr3.hosts('mycluster').map(({ cuk }) => cuk);
const puts = (): number => k2hr3.requests.filter(({ method }) => method === 'PUT').length;

describe('registering', () => {
  it('is not done for a host that K2HR3 has: that would remove it for a moment', async () => {
    const first = await bench();
    await first.register();
    const second = await bench();
    await second.register();
    expect(puts()).toBe(1);
    expect(cuks()).toEqual([CUK]);
  });

  it('is done again for another name', async () => {
    await (await bench()).register();
    await (await bench(elsewhere, 'node2.novalocal')).register();
    expect(k2hr3.hosts('mycluster')).toMatchObject([{ cuk: CUK, tag: 'node2.novalocal' }]);
  });

  it('that is lost fails, so that it is made again', async () => {
    const box = await bench();
    k2hr3.faults.loseRegistrations = 1;
    await expect(box.register()).rejects.toMatchObject({
      message: expect.stringContaining('and lost it') as string,
      retryable: true,
    });
    expect(box.membership.retryInMs).toBeGreaterThan(0);
    await box.register();
    expect(cuks()).toEqual([CUK]);
  });

  it('is not made in the role of another cluster, whatever the extdata URL says', async () => {
    const other = k2hr3.addCluster({ cluster: 'other', ...PORTS });
    const box = await bench();
    await expect(box.register(other.extdataUrl)).rejects.toThrow(
      'cluster-name is mycluster, but the extdata-url is that of the cluster other',
    );
    expect([k2hr3.hosts('other'), k2hr3.hosts('mycluster'), puts()]).toEqual([[], [], 0]);
    const { parameters } = box.desired.current;
    expect(box.membership.refusalOf(parameters)).toContain('of the cluster other');
    const mended = { clusterName: 'mycluster', extdataUrl: cluster.extdataUrl };
    expect(box.membership.refusalOf(mended)).toBeNull();
    expect(box.membership.refusalOf(null)).toBeNull();
    await box.register();
    expect([box.membership.refusalOf(parameters), box.membership.problem]).toEqual([null, null]);
    expect(cuks()).toEqual([CUK]);
  });

  it('takes a cluster whose name K2HR3 writes in small letters', async () => {
    const { extdataUrl } = k2hr3.addCluster({ cluster: 'Large', ...PORTS });
    const box = await bench();
    await box.membership.register({ clusterName: 'Large', extdataUrl }, never);
    expect(k2hr3.hosts('Large')).toHaveLength(1);
  });

  it('says why it failed until it works', async () => {
    const box = await bench();
    k2hr3.faults.loseRegistrations = 1;
    await expect(box.register()).rejects.toThrow('and lost it');
    expect(box.membership.problem).toContain('and lost it');
    await box.register();
    expect(box.membership.problem).toBeNull();
  });

  it('lets K2HR3 alone for a while: the role is read first', async () => {
    const box = await bench();
    await box.register();
    expect(box.membership.settlesInMs).toBeGreaterThan(1_000);
    expect(box.membership.retryInMs, 'for an end of the registration').toBe(0);
    box.pass(2_000);
    expect(box.membership.settlesInMs).toBe(0);
  });
});

describe('an entry with another CUK', () => {
  it('of a server that was here before is removed in front of the registration', async () => {
    k2hr3.addHost('mycluster', { ip: ADDRESS, cuk: 'older', tag: 'node1.novalocal' });
    await (await bench()).register();
    expect(cuks()).toEqual([CUK]);
    const changes = k2hr3.requests.filter(({ method }) => ['DELETE', 'PUT'].includes(method));
    expect(changes.map(({ method }) => method)).toEqual(['DELETE', 'PUT']);
  });

  it('of the same name at another address keeps this node out of the role', async () => {
    k2hr3.addHost('mycluster', { ip: '127.0.0.12', cuk: 'other', tag: 'node1.novalocal' });
    await expect((await bench()).register()).rejects.toThrow(
      'the role has another host of the name node1.novalocal',
    );
    expect(puts()).toBe(0);
  });

  it('cannot be looked for in a role with a hostile tag; registering goes on', async () => {
    k2hr3.addHost('mycluster', { ip: '127.0.0.12', cuk: 'evil', tag: 'x\n[EVIL]' });
    await (await bench()).register();
    expect(cuks()).toEqual([CUK, 'evil']);
  });
});

describe('unregistering', () => {
  it('ends what was registered, although the configuration group is another one now', async () => {
    const box = await bench();
    await box.register();
    await box.desired.update({
      parameters: { clusterName: 'another', extdataUrl: 'http://192.0.2.1/v1/extdata/trove/x' },
    });
    await box.membership.unregister(never);
    expect(cuks()).toEqual([]);
    expect(box.desired.current.registration).toBeNull();
  });

  it('ends the registration in the role that the extdata URL led to before', async () => {
    const box = await bench();
    await box.register();
    const moved = k2hr3.addCluster({ cluster: 'mycluster', tenant: 'tenant1', ...PORTS });
    await box.register(moved.extdataUrl);
    expect(k2hr3.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
    expect(box.desired.current.registration?.roleName).toBe(moved.roleName);
  });

  it('is not over while K2HR3 does not prove that it is', async () => {
    const box = await bench();
    await box.register();
    k2hr3.faults.slowUnauthorized = { delayMs: 1 };
    await expect(box.membership.unregister(never)).rejects.toThrow('it may only be slow');
    expect(box.desired.current.registration).not.toBeNull();
    expect(box.membership.retryInMs).toBeGreaterThan(0);
  });

  it('is proven by the token of another cluster when that of its own is dead', async () => {
    const box = await bench();
    await box.register();
    k2hr3.removeHost('mycluster', CUK);
    k2hr3.revokeToken(cluster.roleToken);
    await box.desired.update({ parameters: null });
    await expect(box.membership.unregister(never)).rejects.toThrow('it may only be slow');
    const { extdataUrl } = k2hr3.addCluster({ cluster: 'another', ...PORTS });
    await box.desired.update({ parameters: { clusterName: 'another', extdataUrl } });
    await box.membership.unregister(never);
    expect(box.desired.current.registration).toBeNull();
  });
});

describe('a role token that K2HR3 does not take', () => {
  /** Reads that end with 401, over `ms` of time. */
  async function refused(box: Bench, times: number, ms: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      expect(await box.read()).toMatchObject({ kind: 'unauthorized' });
      box.pass(ms / Math.max(1, times - 1));
    }
  }
  const extdataCalls = (): number =>
    k2hr3.requests.filter(({ path: called }) => called.startsWith('/v1/extdata/')).length;

  /** The user makes another token, and the dashboard puts its URL into the configuration group. */
  async function apply(box: Bench): Promise<string> {
    const { extdataUrl, roleToken } = k2hr3.addCluster({ cluster: 'mycluster', ...PORTS });
    const parameters = { clusterName: 'mycluster', extdataUrl };
    await box.desired.update({ parameters });
    return roleToken;
  }

  it('gives way to the one of a new extdata URL', async () => {
    const box = await bench();
    await box.register();
    k2hr3.revokeToken(cluster.roleToken);
    const renewed = await apply(box);
    await refused(box, 3, 120_000);
    expect(box.desired.current.registration?.roleToken).toBe(renewed);
    expect(await readFile(path.join(box.files, 'k2hr3-role-token'), 'utf8')).toBe(renewed);
    expect(await box.read()).toBeNull();
    expect(box.secrets.scrub(renewed)).toBe('[secret]');
    expect(cuks()).toEqual([CUK]);
    expect(puts()).toBe(1);
  });

  it('is counted in a row: any other answer begins anew', async () => {
    const box = await bench();
    await box.register();
    const asked = extdataCalls();
    for (let n = 0; n < 3; n++) {
      k2hr3.faults.slowUnauthorized = { delayMs: 1 };
      await refused(box, 2, 200_000);
      k2hr3.faults.slowUnauthorized = undefined;
      expect(await box.read()).toBeNull();
    }
    expect(extdataCalls()).toBe(asked);
  });

  it('stays in use while the backend hangs, whatever is configured', async () => {
    const box = await bench();
    await box.register();
    await apply(box);
    k2hr3.faults.slowUnauthorized = { delayMs: 1 };
    await refused(box, 5, 240_000);
    expect(box.desired.current.registration?.roleToken).toBe(cluster.roleToken);
  });
});

describe('the address that K2HR3 is called from, when none is configured', () => {
  it('stays that of the registration, for as long as this VM has it', async () => {
    const kept: (string | undefined)[] = [];
    let own = ADDRESS;
    const box = await bench(elsewhere, 'node1.novalocal', {
      http: { clock: systemClock },
      sourceAddress: (url, before) => {
        expect(url).toBe(k2hr3.url);
        kept.push(before);
        return Promise.resolve(own);
      },
      hasAddress: (address) => address === own,
    });
    const callers = (): (string | undefined)[] => [
      ...new Set(k2hr3.requests.splice(0).map(({ sourceAddress }) => sourceAddress)),
    ];
    await box.register();
    expect(k2hr3.hosts('mycluster')).toMatchObject([{ ip: ADDRESS }]);
    callers();
    await box.read();
    await box.membership.unregister(never);
    expect(callers()).toEqual([ADDRESS]);
    expect(cuks()).toEqual([]);
    await box.register();
    own = '127.0.0.12';
    callers();
    await box.read();
    expect(callers(), 'one that is gone').toEqual(['127.0.0.1']);
    await box.register();
    expect(kept).toEqual([undefined, undefined, ADDRESS]);
  });
});

describe('the files for the tools of K2HR3', () => {
  it('are the nine of its own script, for nobody else to read', async () => {
    const box = await bench();
    await box.register();
    const names = (await readdir(box.files)).toSorted();
    const contents = await Promise.all(
      names.map((name) => readFile(path.join(box.files, name), 'utf8')),
    );
    expect(Object.fromEntries(names.map((name, n) => [name, contents[n]]))).toEqual({
      'k2hr3-api-uri': k2hr3.url,
      'k2hr3-apiarg': `cuk=${CUK}`,
      'k2hr3-cuk': CUK,
      'k2hr3-cuk-param': `cuk=${CUK}`,
      'k2hr3-extra-param': 'extra=openstack-auto-v1',
      'k2hr3-role-name': cluster.roleName,
      'k2hr3-role-tenant': 'yrn:yahoo:::tenant0',
      'k2hr3-role-token': cluster.roleToken,
      'k2hr3-tag-param': 'tag=node1.novalocal',
    });
    for (const name of names) {
      expect((await stat(path.join(box.files, name))).mode & 0o777).toBe(0o600);
    }
  });

  it('go with the registration, and what else is there stays', async () => {
    const box = await bench();
    await box.register();
    await writeFile(path.join(box.files, 'k2hdkc.ini'), 'x');
    await box.membership.unregister(never);
    expect(await readdir(box.files)).toEqual(['k2hdkc.ini']);
  });

  it('are not worth a registration', async () => {
    const box = await bench();
    await writeFile(box.files, 'no directory');
    await box.register();
    expect(cuks()).toEqual([CUK]);
    expect(box.lines.join('')).toContain('the files for the tools of K2HR3 stay as they were');
  });
});

describe('proxies of the configuration group and of the environment', () => {
  it('see nothing of what goes to K2HR3, which registers the address it sees', async () => {
    let seen = 0;
    const proxy = net.createServer((socket) => {
      seen += 1;
      socket.destroy();
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'all_proxy', 'NODE_USE_ENV_PROXY'];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : url;
    onTestFinished(() => {
      proxy.close();
      names.forEach((name, n) => {
        if (before[n] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[n];
      });
    });
    const box = await bench();
    const parameters = {
      clusterName: 'mycluster',
      extdataUrl: cluster.extdataUrl,
      httpProxy: url,
      httpsProxy: url,
    };
    await box.desired.update({ parameters });
    await box.membership.register(parameters, never);
    expect(await box.read()).toBeNull();
    expect(k2hr3.hosts('mycluster')).toMatchObject([{ ip: ADDRESS }]);
    expect(seen).toBe(0);
  });
});

describe('what is logged', () => {
  it('holds neither role token nor extdata URL, whatever K2HR3 echoes', async () => {
    const box = await bench();
    await box.register();
    k2hr3.revokeToken(cluster.roleToken);
    const error = (await box.read()) as Error;
    expect(error.message).toContain('status 401');
    expect(`${error.message}${box.lines.join('')}`).not.toContain(cluster.roleToken);
    expect(box.lines.join('')).not.toContain(cluster.extdataUrl.split('/').at(-1));
    const file = path.join(path.dirname(box.files), 'desired.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});
