/** A log as Trove's API and its client show it (docs/contracts/guest.md, 3). */
export interface GuestLogView {
  name: string;
  type: 'SYS' | 'USER';
  status: 'Disabled' | 'Enabled' | 'Unavailable' | 'Ready' | 'Partial' | 'Published';
  published: number;
  pending: number;
  /** The text `None` as long as nothing is published. */
  container: string;
  /** The same. */
  prefix: string;
  metafile: string;
}
