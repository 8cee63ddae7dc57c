import { ConfigurationError } from '../base/errors.ts';
import type { OsloConfig } from '../oslo/oslo-config.ts';
import { optionalText } from './optional-text.ts';

/** How the logs of a guest are published. */
export interface LogOptions {
  /** `guest_log_container_name`: the container in Swift. */
  container: string;
  /** `guest_log_limit`: bytes of an object, at most. */
  limitBytes: number;
  /** `guest_log_expiry`: Swift removes an object after so many seconds. */
  expirySeconds: number;
  /** `guest_log_exposed_logs`: which logs users see who are not administrators; `all` stands for every log. */
  exposed: readonly string[];
}

/**
 * Reads what Trove's files say about guest logs, with Trove's own defaults: nothing is exposed.
 *
 * @throws ConfigurationError that says where it is set.
 */
export function readLogOptions(config: OsloConfig, datastoreGroup: string): LogOptions {
  const wrong = (option: string, what: string): ConfigurationError =>
    new ConfigurationError(`${config.where('DEFAULT', option) ?? 'DEFAULT'}: ${option} ${what}`);
  const positive = (option: string, fallback: number): number => {
    const value = config.integer('DEFAULT', option, fallback);
    if (value >= 1 && Number.isSafeInteger(value)) return value;
    throw wrong(option, `is ${value}: it must be at least 1`);
  };
  const container = optionalText(config, 'DEFAULT', 'guest_log_container_name') ?? 'database_logs';
  if (['.', '..'].includes(container) || /[/\p{Cc}\p{Cs}]/u.test(container)) {
    throw wrong('guest_log_container_name', 'is not a name that a container can have');
  }
  return {
    container,
    limitBytes: positive('guest_log_limit', 1_000_000),
    expirySeconds: positive('guest_log_expiry', 2_592_000),
    exposed: (optionalText(config, datastoreGroup, 'guest_log_exposed_logs') ?? '')
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((name) => name !== ''),
  };
}
