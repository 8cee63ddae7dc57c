import { readFile } from 'node:fs/promises';
import { AgentError, ConfigurationError, codeOf, messageOf } from '../../base/errors.ts';
import { withoutTrailing } from '../../base/text.ts';
import type { AgentConfig } from '../../config/schema.ts';
import type { RoleAccess } from '../../k2hr3/extdata.ts';
import { fetchAccessFromUrl } from '../../k2hr3/userdata.ts';
import type { MembershipOptions } from '../../role/membership.ts';

/** Where a slave's access to its role comes from. */
export interface SlaveSource {
  /** The URL, or the role token: whoever has it can register hosts. */
  secret: string;
  /** Gets the access; see `MembershipOptions`. */
  access: NonNullable<MembershipOptions['access']>;
}

/**
 * The way to the slave role: `slave.registration_url`, or `slave.role_token` with the role and the
 * API, or the `#include` of the user data that this VM was started with.
 *
 * @throws ConfigurationError when there is none, or half of one.
 */
export async function readSlaveSource(slave: AgentConfig['slave']): Promise<SlaveSource> {
  const { registration_url: url, role_token: roleToken, role_name: roleName } = slave;
  if (url !== null) return fromUrl(url);
  if (roleToken === null) return fromUrl(await includedUrl(slave.user_data_file));
  const { api_uri: apiUri } = slave;
  const tenant = tenantOf(roleName ?? '');
  if (apiUri === null || roleName === null || tenant === undefined) {
    throw new ConfigurationError(
      'slave.role_token needs slave.api_uri, and slave.role_name as yrn:yahoo:::TENANT:role:CLUSTER/slave',
    );
  }
  if (!/^[0-9a-f]{64}$/i.test(roleToken)) {
    throw new ConfigurationError('slave.role_token must be 64 hex digits');
  }
  const access: RoleAccess = { apiUri: withoutTrailing(apiUri, '/'), roleName, tenant, roleToken };
  return { secret: roleToken, access: () => Promise.resolve(ofSlave(access)) };
}

function fromUrl(url: string): SlaveSource {
  return { secret: url, access: async (http) => ofSlave(await fetchAccessFromUrl(http, url)) };
}

/** A node that registers in the server role is a member of everybody's ring, with nothing in it. */
function ofSlave(access: RoleAccess): RoleAccess {
  if (!access.roleName.endsWith('/server')) return access;
  throw new AgentError(
    `${access.roleName} is the role of servers: give this slave the URL or token of the slave role`,
  );
}

/** `yrn:yahoo:::TENANT` of `yrn:yahoo:::TENANT:role:CLUSTER/slave`; undefined when it is none. */
function tenantOf(roleName: string): string | undefined {
  const [tenant = '', role = ''] = roleName.split(':role:');
  const isTenant =
    /^yrn:[^\s/]+$/.test(tenant) && /[^:]$/.test(tenant) && tenant.split(':').length > 2;
  return isTenant && /^\S/.test(role) && !/\s/.test(roleName) ? tenant : undefined;
}

/** Somewhere in the path of a URL of K2HR3. */
const USER_DATA = /[^/]\/v1\/(?:userdata|extdata\/trove)\/./;

async function includedUrl(file: string): Promise<string> {
  const choices = 'slave.registration_url or slave.role_token';
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const what =
      codeOf(cause) === 'ENOENT' ? 'does not exist' : `cannot be read: ${messageOf(cause)}`;
    throw new ConfigurationError(`mode: slave needs ${choices}; ${file} ${what}`, { cause });
  });
  const lines = text.split('\n').map((line) => line.trim());
  const url = lines.find((line) => /^https?:\/\/\S+$/.test(line) && USER_DATA.test(line));
  if (url !== undefined) return url;
  throw new ConfigurationError(
    `mode: slave needs ${choices}; ${file} includes no user data of K2HR3`,
  );
}
