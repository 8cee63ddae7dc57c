/** The ring as the role says that it should be. */
export interface ExpectedRing {
  /** The CUKs of all servers, this one among them; empty when none are known. */
  cuks: ReadonlySet<string>;
  /** How long the list of servers has been the same, in milliseconds. */
  ringStableMs: number;
  /** The list has changed since this agent started, or a prepare: others may not know it yet. */
  ringIsNew: boolean;
}
