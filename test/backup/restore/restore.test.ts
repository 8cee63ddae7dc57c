import { readdirSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Secrets } from '../../../src/base/secrets.ts';
import { restoreBackup } from '../../../src/backup/restore/restore.ts';
import { recordingLog } from '../../helpers/recording-log.ts';
import { PLAIN_STORAGE } from '../../helpers/storage-config.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';
import { archiveOf, md5, upstreamObject } from '../objects.ts';
import { startMemorySwift } from '../swift/memory-swift.ts';
import { shellTool, standInK2hlinetool } from '../tools.ts';

const GEOMETRY = { maskBit: 4, collisionMaskBit: 4, maxElements: 8, pageSize: 128, fullMap: true };

/** A stopped node, and a Swift that has a backup of 30 keys. */
async function lab() {
  const swift = await startMemorySwift();
  swift.containers.add('c');
  const body = await upstreamObject(archiveOf(30));
  const stored = { body, etag: md5(body), isSlo: false, headers: {} };
  swift.objects.set('c/b-1.gz', stored);
  const data = await temporaryDirectory();
  const file = path.join(data, 'k2hdkc.k2h');
  await writeFile(file, 'the data of now');
  const { log, texts, lines } = recordingLog();
  const secrets = new Secrets();
  const ending = new AbortController();
  const restore = async (
    change: { tool?: string; token?: string; encrypted?: boolean } = {},
  ): Promise<void> =>
    restoreBackup(
      {
        storage: PLAIN_STORAGE,
        k2hlinetool: change.tool ?? (await standInK2hlinetool(await temporaryDirectory())),
        toolUser: null,
        pauses: { first: 1, cap: 5 },
        clock: systemClock,
        random: () => 0.5,
        secrets,
        log,
      },
      {
        request: {
          id: 'b-1',
          location: { accountUrl: swift.storageUrl, container: 'c', object: 'b-1.gz' },
          checksum: md5(body),
          encrypted: change.encrypted ?? false,
          swiftUrl: swift.storageUrl,
        },
        caller: { token: change.token ?? swift.token, projectId: 'test', serviceCatalog: [] },
        target: { file, geometry: GEOMETRY },
        dataFolders: [data],
        signal: ending.signal,
      },
    );
  /** Nothing has changed, and nothing is left behind. */
  const untouched = async (): Promise<void> => {
    expect(await readdir(data)).toEqual(['k2hdkc.k2h']);
    expect(await readFile(file, 'utf8')).toBe('the data of now');
  };
  return { swift, stored, data, file, texts, lines, secrets, ending, restore, untouched };
}

it('makes the data of a backup that of the node, and leaves nothing else behind', async () => {
  const { data, file, restore, texts, lines, secrets, swift } = await lab();
  const beside = new Set<string>();
  swift.fault = () => {
    for (const name of readdirSync(data)) beside.add(name);
    return undefined;
  };
  await restore();
  expect([...beside].toSorted()).toEqual(['.k2hdkc-agent-restore', 'k2hdkc.k2h']);
  expect(await readdir(data)).toEqual(['k2hdkc.k2h']);
  expect(await readFile(file, 'latin1')).toContain('value of 29');
  expect(texts).toEqual([
    'restoring a backup',
    'backup downloaded and found whole',
    'backup restored',
  ]);
  expect(lines.at(-1)).toMatchObject({ backup: 'b-1', keys: 30 });
  expect(secrets.scrub(`a ${swift.token}`)).toBe('a [secret]');
});

describe('what has failed is named, and nothing has changed', () => {
  const failed = 'backup b-1 cannot be restored: ';

  it('when the token has expired', async () => {
    const { restore, untouched } = await lab();
    const restored = restore({ token: 'old-token' });
    await expect(restored).rejects.toThrow(failed);
    await expect(restored).rejects.toThrow('the token has expired');
    await expect(restored).rejects.not.toThrow('old-token');
    await untouched();
  });

  it('when the bytes are damaged', async () => {
    const { stored, restore, untouched } = await lab();
    stored.body = Buffer.from(stored.body);
    stored.body[40] = ~(stored.body[40] ?? 0);
    await expect(restore()).rejects.toThrow(failed);
    await untouched();
  });

  it('when it is encrypted and there is no key', async () => {
    const { restore, untouched } = await lab();
    await expect(restore({ encrypted: true })).rejects.toThrow(
      /b-1 cannot be restored.*aes_cbc_key/,
    );
    await untouched();
  });

  it('when the tool cannot load it', async () => {
    const { restore, untouched } = await lab();
    const tool = await shellTool(await temporaryDirectory(), 'tool', 'echo "[ERR] no space" >&2');
    await expect(restore({ tool })).rejects.toMatchObject({
      name: 'AgentError',
      message: `${failed}${tool} failed: [ERR] no space`,
    });
    await untouched();
  });
});

it('ends with the reason of who ends it, in no other words', async () => {
  const { swift, ending, restore, untouched } = await lab();
  swift.fault = () => {
    ending.abort(new Error('the agent stops'));
    return 'taken';
  };
  await expect(restore()).rejects.toThrow(/^the agent stops$/);
  await untouched();
});
