import { readFileSync } from 'node:fs';
import type { JsonObject } from '../../src/trove/json.ts';

/** The key and the instance that the captured messages were encrypted for. */
export const CAPTURE_KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
export const CAPTURE_INSTANCE = '11111111-aaaa-4bbb-8ccc-000000000002';

/** A request as the real Trove sent it, encrypted and not. */
export interface EncryptedCall {
  method: string;
  args: JsonObject;
  plainArgs: JsonObject;
  context?: JsonObject;
  plainContext?: JsonObject;
  result?: string | null;
  plainResult?: unknown;
}

/** A request of Trove's API as it was seen on the wire. */
export interface ApiCall {
  method: string;
  kind: 'call' | 'cast';
  version: string;
  /** Milliseconds as text; null for a cast. */
  expiration_ms: string | null;
  args: JsonObject;
}

/** A cast to the conductor as the real guest sent it. */
export interface ConductorCast {
  method: string;
  version: string;
  args: JsonObject;
  context: JsonObject;
  plainArgs?: JsonObject;
  plainContext?: JsonObject;
}

/** A JSON capture out of test/fixtures/trove. */
export function readFixture(name: string): unknown {
  const file = new URL(`../fixtures/trove/${name}`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}
