/**
 * The service statuses that this agent reports, as the conductor spells them. Trove knows more; a
 * description it does not know is dropped, and so is `upgrading`, which it overwrote by mistake
 * (docs/contracts/trove.md, 5.5).
 */
export const SERVICE_STATUS = {
  /** prepare runs. Shown as BUILD. */
  building: 'building',
  /**
   * A cluster member has finished its own preparation. Shown as BUILD and blocks every action, so
   * it is sent once and never stays.
   */
  instanceReady: 'instance ready',
  /** In service: SERVICE IN, UP, nothing pending, a k2hdkc attached. What a cluster waits for. */
  healthy: 'healthy',
  /** Alive, but joining, merging, suspended, out of service or detached. Shown as ACTIVE. */
  running: 'running',
  /** Stopped on purpose. Sent during prepare it would abort the creation. */
  shutdown: 'shutdown',
  /** The processes do not stay up. Shown as SHUTDOWN; sent during prepare it would abort it too. */
  crashed: 'crashed',
  /** prepare failed. Shown as FAILED; Trove stops waiting for the instance. */
  failedToSpawn: 'failed to spawn',
} as const;

export type ServiceStatus = (typeof SERVICE_STATUS)[keyof typeof SERVICE_STATUS];
