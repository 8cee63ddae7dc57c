import type { OsloConfig } from '../oslo/oslo-config.ts';

/** The text of an option; null when it is not set, empty, or `None`, which Trove writes for nothing. */
export function optionalText(config: OsloConfig, group: string, option: string): string | null {
  const value = config.string(group, option, '').trim();
  return value === '' || value === 'None' ? null : value;
}
