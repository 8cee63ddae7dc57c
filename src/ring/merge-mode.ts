/**
 * Who moves data when a server joins or leaves; see docs/merge.md.
 *
 * `automatic`: chmpx does (AUTOMERGE=on), to or from that server only.
 * `coordinated`: the agents lead (AUTOMERGE=off), between all servers.
 */
export const MERGE_MODES = ['automatic', 'coordinated'] as const;
export type MergeMode = (typeof MERGE_MODES)[number];
