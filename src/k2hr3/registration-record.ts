import { createHash } from 'node:crypto';
import * as v from 'valibot';

/**
 * What was registered, kept on disk so that the host can be taken out again although the
 * configuration has changed since (docs/contracts/k2hr3.md, 8.10). It holds no secret:
 * unregistering needs none. It is a `RoleAddress` too.
 */
export const registrationRecordSchema = v.object({
  apiUri: v.string(),
  roleName: v.string(),
  cuk: v.string(),
  tag: v.string(),
  /** The configured source address, when there was one; unregistering must use the same. */
  localAddress: v.optional(v.string()),
  /** `fingerprintOf` the extdata URL that was used. */
  extdataFingerprint: v.string(),
});

/** See `registrationRecordSchema`. */
export type RegistrationRecord = v.InferOutput<typeof registrationRecordSchema>;

/**
 * Tells one extdata URL from another without holding it: the URL is a credential for ten years
 * (docs/contracts/k2hr3.md, 2.1). SHA-256 in hex.
 */
export function fingerprintOf(extdataUrl: string): string {
  return createHash('sha256').update(extdataUrl).digest('hex');
}
