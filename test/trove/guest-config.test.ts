import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/base/errors.ts';
import { readConfigFiles } from '../../src/oslo/config-files.ts';
import { readGuestConfig, type GuestConfig } from '../../src/trove/guest-config.ts';

const captured = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/trove/${name}`, import.meta.url));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'guest-config-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Reads a configuration directory with these lines in its two files. */
async function read(guestInfo: string, agent = AGENT): Promise<GuestConfig> {
  await writeFile(path.join(directory, 'guest_info.conf'), `[DEFAULT]\n${guestInfo}\n`);
  await writeFile(path.join(directory, 'trove-guestagent.conf'), `[DEFAULT]\n${agent}\n`);
  return readGuestConfig(await readConfigFiles([{ directory }]));
}
const INFO = 'guest_id=g-1\ndatastore_manager=k2hdkc';
const AGENT = 'transport_url = rabbit://u:password@192.0.2.1/';

it('reads the files that the real Trove wrote', async () => {
  const files = ['guest_info.conf', 'trove-guestagent.conf'].map((name) => ({
    file: captured(name),
  }));
  expect(readGuestConfig(await readConfigFiles(files))).toEqual({
    guestId: '11111111-aaaa-4bbb-8ccc-000000000003',
    datastoreVersion: '1.0.14',
    tenantId: '11112222333344445555666677778888',
    instanceKey: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345',
    transport: {
      brokers: [
        { host: '127.0.0.1', port: 5672, user: 'guest', password: 'guest', vhost: 'trove' },
      ],
      options: {},
      mixedCredentials: false,
    },
    conductorQueue: 'trove-conductor',
    mountPoint: '/var/lib/antpickax/k2hdkc',
    devicePath: '/dev/vdb',
    volume: {
      fileSystem: 'ext4',
      formatOptions: ['-m', '5'],
      mountOptions: 'defaults,noatime',
    },
    rpcPingEnabled: false,
    networkIsolation: null,
    logs: {
      container: 'database_logs',
      limitBytes: 1_000_000,
      expirySeconds: 2_592_000,
      exposed: [],
    },
    storage: {
      swiftUrl: null,
      container: 'database_backups',
      serviceType: 'object-store',
      endpointType: 'publicURL',
      insecure: false,
      authUrl: 'http://127.0.0.1:5000/v3',
      region: null,
      decryptionKey: null,
    },
    secrets: [
      'rabbit://guest:guest@127.0.0.1:5672/trove',
      'guest',
      'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345',
    ],
  });
});

it('reads what a site sets differently', async () => {
  const agent = [
    AGENT,
    'conductor_queue = my-conductor',
    'rpc_ping_enabled = True',
    'volume_fstype = xfs',
    'mount_options = noatime',
    '[k2hdkc]',
    'mount_point = /data',
    'device_path = /dev/vdc',
  ];
  expect(await read(INFO, agent.join('\n'))).toMatchObject({
    conductorQueue: 'my-conductor',
    rpcPingEnabled: true,
    mountPoint: '/data',
    devicePath: '/dev/vdc',
    volume: { fileSystem: 'xfs', formatOptions: [], mountOptions: 'noatime' },
  });
});

it('reads how volumes are made', async () => {
  const { volume } = await read(
    INFO,
    `${AGENT}\nvolume_fstype = ext3\nformat_options = -m 1  -L k`,
  );
  expect(volume).toMatchObject({ fileSystem: 'ext3', formatOptions: ['-m', '1', '-L', 'k'] });
});

it('takes None and nothing as not set', async () => {
  const config = await read(
    `${INFO}\ninstance_rpc_encr_key=None\ntenant_id=\ndatastore_version = None`,
    `${AGENT}\n[k2hdkc]\ndevice_path = None`,
  );
  expect(config).toMatchObject({
    instanceKey: null,
    tenantId: null,
    datastoreVersion: null,
    devicePath: null,
  });
});

it('ignores what a newer Trove adds', async () => {
  const config = await read(`${INFO}\nssl_mode=None\nnetwork_isolation=True\nanything=$unknown`);
  expect(config.guestId).toBe('g-1');
});

describe('one line says what is wrong and where', () => {
  it.each([
    ['no guest_id', 'datastore_manager=k2hdkc', AGENT, 'guest_id is not set: Trove writes it to'],
    [
      'an empty guest_id',
      `guest_id=\ndatastore_manager=k2hdkc`,
      AGENT,
      'guest_info.conf:2: guest_id is empty',
    ],
    [
      'a strange guest_id',
      `guest_id=a b\ndatastore_manager=k2hdkc`,
      AGENT,
      'guest_info.conf:2: guest_id is "a b"',
    ],
    ['no datastore_manager', 'guest_id=g', AGENT, 'datastore_manager is not set'],
    [
      'another datastore',
      'guest_id=g\ndatastore_manager=mysql',
      AGENT,
      'guest_info.conf:3: datastore_manager is "mysql"; this agent is for k2hdkc only',
    ],
    [
      'no transport_url',
      INFO,
      '',
      'transport_url is not set: Trove writes it to [DEFAULT] of trove-guestagent.conf',
    ],
    [
      'a bad transport_url',
      INFO,
      'transport_url = http://u:password@h/',
      'trove-guestagent.conf:2: transport_url has the scheme "http"',
    ],
    [
      'a bad word',
      INFO,
      `${AGENT}\nrpc_ping_enabled = maybe`,
      'trove-guestagent.conf:3: rpc_ping_enabled',
    ],
    [
      'a file system that Trove does not know',
      INFO,
      `${AGENT}\nvolume_fstype = btrfs`,
      'trove-guestagent.conf:3: volume_fstype is "btrfs", not one of ext3, ext4, xfs',
    ],
    [
      'options in quotes',
      INFO,
      `${AGENT}\nformat_options = -L "a b"`,
      'trove-guestagent.conf:3: format_options holds a quote',
    ],
  ])('%s', async (_name, info, agent, text) => {
    const error: unknown = await read(info, agent).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(String(error)).toContain(text);
    expect(String(error)).not.toMatch(/\n|password/);
  });
});

it.each([
  ['network_isolation=True', '', true],
  ['network_isolation=False', '', false],
  ['network_isolation=None', '', null],
  ['network_isolation=True', 'network_isolation = False', false],
])('%s, and %j in the file that is read later, is %s', async (info, agent, expected) => {
  const { networkIsolation } = await read(`${INFO}\n${info}`, `${AGENT}\n${agent}`);
  expect(networkIsolation).toBe(expected);
});
