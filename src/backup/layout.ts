import * as v from 'valibot';
import { AgentError } from '../base/errors.ts';
import type { ArchiveFacts } from './archive.ts';

/**
 * What is inside a backup: gzip(gzip(tar)) with members under this path, as upstream's driver reads
 * and writes it (docs/contracts/swift.md, 4).
 */
export const MEMBER_DIRECTORY = '/var/lib/antpickax/k2hdkc/snapshots/trovebackup/';
/** The data, as k2hlinetool wrote it. */
export const ARCHIVE_MEMBER = `${MEMBER_DIRECTORY}trovebackup.k2har`;
/** Ours, before the archive; upstream's driver takes no notice of it. */
export const MANIFEST_MEMBER = `${MEMBER_DIRECTORY}manifest.json`;

const manifestSchema = v.object({
  version: v.literal(1),
  records: v.number(),
  keys: v.number(),
  bytes: v.number(),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

/** The text of the manifest: what the archive beside it holds. */
export function writeManifest(facts: ArchiveFacts): string {
  return `${JSON.stringify({ version: 1, ...facts })}\n`;
}

/** Throws AgentError when the text is not a manifest of ours. */
export function readManifest(text: string): ArchiveFacts {
  try {
    const { records, keys, bytes, sha256 } = v.parse(manifestSchema, JSON.parse(text));
    return { records, keys, bytes, sha256 };
  } catch (cause) {
    throw new AgentError('the manifest in the backup cannot be read', { cause });
  }
}
