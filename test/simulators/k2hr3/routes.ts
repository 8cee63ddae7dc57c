import type { Answer } from './answer.ts';
import { json, refuse, unknownCall } from './answer.ts';
import type { Call } from './call.ts';
import { extdata } from './extdata-routes.ts';
import type { Faults } from './faults.ts';
import { yrn } from './names.ts';
import { sealRegisterPath } from './register-path.ts';
import { roleResourceRoute } from './resource-routes.ts';
import { role, roleToken } from './role-routes.ts';
import type { Store } from './store.ts';
import { userdata } from './userdata-routes.ts';

/** What the routes work on. */
export interface Backend {
  store: Store;
  passphrase: Buffer;
  apiUri: string;
  faults: Faults;
}

/** Finds the part of the API that a call is for and lets it answer. */
export function route(call: Call, backend: Backend): Answer {
  const { store, passphrase, apiUri, faults } = backend;
  if (call.isBodyBroken) return unknownCall(400);
  if (call.path === '/' && call.method === 'GET') return json(200, { version: ['v1'] });
  if (call.path.startsWith('/v1/extdata/')) return extdata(call, passphrase, apiUri);
  if (call.path.startsWith('/v1/userdata/')) return userdata(call, passphrase, apiUri);
  const [, kind = '', text = ''] = /^\/v1\/(role\/token|[^/]+)(?:\/(.*))?$/.exec(call.path) ?? [];
  switch (kind) {
    case 'role/token':
      return roleToken(call, store, text, (name, token) =>
        sealRegisterPath(passphrase, { role: yrn('role', name), token }),
      );
    case 'role':
      if (text === '') return refuse(call, 400, 'only for an administrator (capture 105)');
      return role(call, store, text, () => {
        if (faults.loseRegistrations <= 0) return false;
        faults.loseRegistrations -= 1;
        return true;
      });
    case 'resource':
      return roleResourceRoute(call, store, text);
    case 'list':
    case 'policy':
    case 'tenant':
    case 'user':
    case 'acr':
      return notForRoles(call, kind);
    default:
      return unknownCall();
  }
}

/** What a VM cannot use; the text says the contrary of what it means (captures 049, 118 to 123). */
function notForRoles(call: Call, kind: string): Answer {
  const message = 'x-auth-token header token is not role token';
  if (kind === 'list') return json(400, { result: false, message, status: 400 });
  return refuse(call, 400, message);
}
