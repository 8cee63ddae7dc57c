import { gzipSync } from 'node:zlib';
import type { Answer } from './answer.ts';
import { refuse, unknownCall } from './answer.ts';
import type { Call } from './call.ts';
import { openRegisterPath } from './register-path.ts';
import type { RegisterPath } from './register-path.ts';

/**
 * `GET /v1/extdata/trove/<registerpath>` (captures 003 to 010). It never looks at the store: the
 * script comes even when the token in it is dead.
 */
export function extdata(call: Call, passphrase: Buffer, apiUri: string): Answer {
  if (call.method !== 'GET') return unknownCall();
  const agent = call.headers['user-agent'];
  if (agent === undefined) return refuse(call, 400, 'GET request does not have User-Agent header');
  const [, suburi = '', path = ''] = /^\/v1\/extdata\/([^/]*)\/?(.*)$/.exec(call.path) ?? [];
  if (suburi !== 'trove') {
    return refuse(call, 400, `GET request URL path(${suburi}) does not exist`);
  }
  if (agent.toLowerCase() !== 'extdata_k2hr3_trove') {
    return refuse(call, 400, 'GET request is not allowed from your client');
  }
  const content = path.includes('/') ? undefined : openRegisterPath(passphrase, path);
  if (!content) return refuse(call, 400, 'GET /extdata/trove/<path> is invalid');
  const script = Buffer.from(registrationScript(content, apiUri));
  if (!(call.headers['accept-encoding'] ?? '').includes('gzip')) {
    return { status: 200, body: script, headers: { 'content-type': SCRIPT_TYPE } };
  }
  return { status: 200, body: gzipSync(script), headers: PACKED_HEADERS };
}

const SCRIPT_TYPE = 'text/x-shellscript; charset=utf-8';
const PACKED_HEADERS = {
  'content-type': 'application/zip',
  'content-encoding': 'gzip',
  'content-transfer-encoding': 'binary',
  'content-disposition': 'attachment; filename=k2hr3-extdata.gz',
};

/** A script of our own that carries the five values in which the real one differs per cluster. */
export function registrationScript(
  { role, token }: RegisterPath,
  apiUri: string,
  error = '',
): string {
  return `#!/bin/sh
# K2HR3 stand-in: this carries the access to a role and does nothing when it is run.
K2HR3_ROLE_TOKEN_FILE="/etc/antpickax/k2hr3-role-token"
K2HR3_ROLE_TOKEN="${token}"
K2HR3_ROLE_NAME="${role}"
K2HR3_ROLE_TENANT="${role.slice(0, role.indexOf(':role:'))}"
K2HR3_API_HOST_URI="${apiUri}"
K2HR3_ERROR_MSG="${error}"
	K2HR3_API_REGISTER_URI="\${K2HR3_API_HOST_URI}/v1/role"
exit 0
`;
}
