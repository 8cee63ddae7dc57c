import type { RegistrationRecord } from '../k2hr3/registration-record.ts';
import type { ClusterParameters } from '../trove/overrides.ts';

/** The registration in K2HR3, with what reads the role. Saved before the host is registered. */
export interface Registration extends RegistrationRecord {
  /** A secret, shared by all servers of the cluster. */
  roleToken: string;
  tenant: string;
  /** `parametersKey` of the parameters that it was made for. */
  parametersKey: string;
}

/**
 * What makes a cluster another one: its name and its ports. A new extdata-url alone does not: every
 * "Apply" in the dashboard makes one for the same role (docs/contracts/k2hr3.md, 5.1).
 */
export function parametersKey(parameters: ClusterParameters | null): string {
  if (parameters === null) return 'detached';
  const { clusterName, serverPort, serverControlPort, slaveControlPort } = parameters;
  return JSON.stringify([clusterName, serverPort, serverControlPort, slaveControlPort]);
}

/** What this VM should be, as far as its role asks. */
export interface RoleWish {
  /** The attached configuration group; null: a member of no cluster. */
  parameters: ClusterParameters | null;
  /** What was registered, kept for the unregistration even if the parameters change. */
  registration: Registration | null;
}

/** The wish on disk, and the only field of it that the role changes. */
export interface RoleWishStore {
  readonly current: RoleWish;
  /** Resolves when the change is on disk. */
  update(change: Pick<RoleWish, 'registration'>): Promise<void>;
}
