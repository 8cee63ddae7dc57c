import { AgentError } from '../../base/errors.ts';

/** The user whose request it is: backups are read and written with the user's own token. */
export interface Caller {
  /** A secret; it can expire at any time, and nothing renews it. */
  token: string;
  projectId: string;
  /** What the request context holds of Keystone's catalog; empty when it has none. */
  serviceCatalog: readonly unknown[];
}

/**
 * Reads an RPC context. Older releases of oslo.context call the project `tenant`
 * (docs/contracts/trove.md, 6.1). Throws AgentError.
 */
export function callerOf(context: Readonly<Record<string, unknown>>): Caller {
  const text = (...keys: string[]): string | undefined =>
    keys.map((key) => context[key]).find((value) => typeof value === 'string' && value !== '') as
      string | undefined;
  const token = text('auth_token');
  const projectId = text('project_id', 'project', 'tenant');
  if (token === undefined || projectId === undefined) {
    const lacking = token === undefined ? 'auth_token' : 'project_id';
    throw new AgentError(
      `the request's context has no ${lacking}: Swift cannot be used in the name of its user`,
    );
  }
  const catalog = context['service_catalog'];
  return { token, projectId, serviceCatalog: Array.isArray(catalog) ? catalog : [] };
}
