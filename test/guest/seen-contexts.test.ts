import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SeenContexts } from '../../src/guest/seen-contexts.ts';
import { Cipher } from '../../src/trove/cipher.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const cipher = new Cipher('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345');

describe('what is remembered', () => {
  const texts = Array.from({ length: 30 }, (_, n) =>
    cipher.encryptJson({ request_id: 'req-1', user: 'somebody', n }),
  );

  it('is bounded, in memory and on disk, over restarts too', async () => {
    const directory = await temporaryDirectory();
    for (let start = 0; start < 3; start++) {
      const seen = new SeenContexts(directory, 4);
      for (const [n, text] of texts.entries()) seen.remember(text, `${start}-${n}`);
      expect((await stat(path.join(directory, 'contexts'))).size).toBeLessThanOrEqual(8 * 66);
    }
    const seen = new SeenContexts(directory, 4);
    const known = texts.filter((text) => seen.isOfAnother(text, 'another'));
    expect(known).toEqual(texts.slice(-4));
  });

  it('is what came last when the file is longer than it may be', async () => {
    const directory = await temporaryDirectory();
    const larger = new SeenContexts(directory, 100);
    for (const [n, text] of texts.entries()) larger.remember(text, String(n));
    const seen = new SeenContexts(directory, 4);
    expect(texts.filter((text) => seen.isOfAnother(text, 'another'))).toEqual(texts.slice(-4));
    seen.remember(cipher.encryptJson({ request_id: 'req-2' }), 'new');
    expect((await stat(path.join(directory, 'contexts'))).size).toBe(4 * 66);
  });

  it.each(['', 'x\n', '\0'.repeat(500), 'x'.repeat(1_000_000)])(
    'is begun again after a file that is none of ours',
    async (text) => {
      const directory = await temporaryDirectory();
      await writeFile(path.join(directory, 'contexts'), text);
      const seen = new SeenContexts(directory);
      seen.remember(texts[0] ?? '', 'a');
      expect(seen.isOfAnother(texts[0] ?? '', 'b')).toBe(true);
    },
  );

  it('is written through no link, and costs nothing when it cannot be written', async () => {
    const directory = await temporaryDirectory();
    await writeFile(path.join(directory, 'other'), 'mine');
    await mkdir(path.join(directory, 'state'));
    await symlink('../other', path.join(directory, 'state/contexts'));
    const seen = new SeenContexts(path.join(directory, 'state'));
    seen.remember(texts[0] ?? '', 'a');
    expect(seen.isOfAnother(texts[0] ?? '', 'b')).toBe(true);
    expect(await readFile(path.join(directory, 'other'), 'utf8')).toBe('mine');
  });
});
