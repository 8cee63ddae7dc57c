import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { BackupLab } from '../helpers/backup-lab.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { RestoreLab } from '../helpers/restore-lab.ts';
import { PLAIN_STORAGE } from '../helpers/storage-config.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { tlsFront } from '../helpers/tls-front.ts';
import { BACKUP_STORES } from '../peers/object-stores.ts';

it.each(BACKUP_STORES)(
  '%s behind TLS is backed up to and restored from, when its CA is named',
  async (_, start) => {
    const swift = await start();
    onTestFinished(() => swift.stop());
    const account = await swift.account();
    const authority = await CertificateAuthority.make(await temporaryDirectory());
    const certificate = await authority.issue('swift', { name: 'IP:127.0.0.1' });
    const { port } = await tlsFront(swift.port, certificate);
    const { pathname } = new URL(swift.url());
    const door = { url: () => `https://127.0.0.1:${port}${pathname}` };
    const storage = { ...PLAIN_STORAGE, ca: await readFile(authority.caFile, 'utf8') };

    const source = await BackupLab.open(account, door);
    await expect(source.backup()).rejects.toThrow(/a CA that is not known here/);
    const { location, checksum } = await source.backup({ parts: { storage } });
    expect(location).toMatch(/^https:/);

    const target = await RestoreLab.open(account, door);
    const stored = { object: location.split('/').at(-1) ?? '', checksum };
    await expect(target.restore(stored)).rejects.toThrow(/a CA that is not known here/);
    expect(await target.keys()).toEqual({ old: 'value' });
    await target.restore(stored, { storage });
    const put = path.join(path.dirname(target.data), 'again.k2har');
    await target.run(`ar put ${put}`);
    expect((await readFile(put)).equals(source.archive)).toBe(true);
  },
);
