import type { Clock } from '../../base/clock.ts';
import type { Secrets } from '../../base/secrets.ts';
import type { Caller } from './caller.ts';
import type { StorageConfig } from './storage-config.ts';
import { findStorage, type StorageTarget, type Wanted } from './storage-target.ts';
import { SwiftClient } from './swift-client.ts';

/** What Swift is opened with. */
export interface OpenSwiftParts {
  storage: StorageConfig;
  secrets: Secrets;
  clock: Clock;
  /** Ends every call. */
  signal: AbortSignal;
  /** See SwiftClient. */
  silenceTimeoutMs?: number | undefined;
}

/**
 * Finds the account that a request means, and opens it; no token gets into a log.
 *
 * @throws AgentError, see findStorage.
 */
export async function openSwift(
  wanted: Wanted,
  caller: Caller,
  { storage, secrets, clock, signal, silenceTimeoutMs }: OpenSwiftParts,
): Promise<{ client: SwiftClient; found: Omit<StorageTarget, 'token'> }> {
  secrets.add('job', caller.token);
  const { token, ...found } = await findStorage(wanted, caller, storage, clock);
  secrets.add('job', token);
  const { ca, insecure } = storage;
  const access = { storageUrl: found.accountUrl, token, ca, insecure };
  return { client: new SwiftClient({ ...access, silenceTimeoutMs, clock, signal }), found };
}
