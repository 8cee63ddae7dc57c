import { rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../host/atomic-file.ts';
import { makeSharedDirectory } from '../host/shared-directory.ts';
import { EXTRA, type HostIdentity } from './registration-calls.ts';
import type { RoleAccess } from './extdata.ts';

/**
 * The nine files that K2HR3's own registration script leaves behind, by name, as its tools read
 * them: without a line break at the end (docs/contracts/k2hr3.md, 2.2).
 */
function contents(access: RoleAccess, { cuk, tag }: HostIdentity): Record<string, string> {
  return {
    'k2hr3-role-token': access.roleToken,
    'k2hr3-role-name': access.roleName,
    'k2hr3-role-tenant': access.tenant,
    'k2hr3-cuk': cuk,
    'k2hr3-cuk-param': `cuk=${cuk}`,
    'k2hr3-extra-param': `extra=${EXTRA}`,
    'k2hr3-tag-param': `tag=${tag}`,
    'k2hr3-apiarg': `cuk=${cuk}`,
    'k2hr3-api-uri': access.apiUri,
  };
}

const FILE_NAMES = Object.keys(
  contents({ apiUri: '', roleName: '', tenant: '', roleToken: '' }, { cuk: '', tag: '' }),
);

/**
 * Writes the files into `directory` for K2HR3's tools, such as k2hr3-get-resource-helper.
 * Upstream's are readable by everybody in a folder that everybody can write to; these are 0600
 * (docs/contracts/k2hr3.md, 8.9). The agent itself never reads them.
 */
export async function writeUpstreamFiles(
  directory: string,
  access: RoleAccess,
  identity: HostIdentity,
): Promise<void> {
  await makeSharedDirectory(directory); // the ini is there too, which the programs' user reads
  for (const [name, content] of Object.entries(contents(access, identity))) {
    await writeFileAtomic(path.join(directory, name), content);
  }
}

/** Removes the files, as the script does when it unregisters. */
export async function removeUpstreamFiles(directory: string): Promise<void> {
  for (const name of FILE_NAMES) await rm(path.join(directory, name), { force: true });
}
