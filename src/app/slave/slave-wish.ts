import { ConfigurationError } from '../../base/errors.ts';
import type { AgentConfig } from '../../config/schema.ts';
import { fingerprintOf } from '../../k2hr3/registration-record.ts';
import type { DesiredState } from '../../node/desired-state.ts';
import type { SlaveSource } from './slave-source.ts';

/**
 * What a slave should be from its start on. Another source means another role: that one is left.
 *
 * @throws ConfigurationError when Trove has prepared this VM as a server.
 */
export function slaveWish(
  current: DesiredState,
  { paths, slave }: Pick<AgentConfig, 'paths' | 'slave'>,
  { secret }: Pick<SlaveSource, 'secret'>,
): Partial<DesiredState> {
  if (current.mode === 'server' && current.phase !== 'new') {
    throw new ConfigurationError(
      `${paths.state_dir} is that of a server which Trove has prepared: a slave needs another paths.state_dir`,
    );
  }
  const { registration } = current;
  const isOther = registration?.extdataFingerprint !== fingerprintOf(secret);
  return {
    mode: 'slave',
    phase: 'prepared',
    failure: null,
    stopped: null,
    parameters: { clusterName: slave.cluster_name ?? '', extdataUrl: secret },
    ...(registration && isOther
      ? { registration: { ...registration, parametersKey: 'of another source' } }
      : {}),
  };
}
