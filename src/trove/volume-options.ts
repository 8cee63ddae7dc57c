import { ConfigurationError } from '../base/errors.ts';
import { DEFAULT_VOLUME_OPTIONS, FILE_SYSTEMS, type VolumeOptions } from '../host/mount-volume.ts';
import type { OsloConfig } from '../oslo/oslo-config.ts';
import { optionalText } from './optional-text.ts';

/**
 * Reads what Trove's files say about data volumes: `volume_fstype`, `format_options` and
 * `mount_options` of [DEFAULT]. Trove's `-m 5` means nothing to xfs, so it is the default of the
 * others only.
 */
export function readVolumeOptions(config: OsloConfig): VolumeOptions {
  const text = (option: string): string | null => optionalText(config, 'DEFAULT', option);
  const wrong = (option: string, what: string): ConfigurationError =>
    new ConfigurationError(`${config.where('DEFAULT', option) ?? 'DEFAULT'}: ${option} ${what}`);
  const named = text('volume_fstype') ?? DEFAULT_VOLUME_OPTIONS.fileSystem;
  const fileSystem = FILE_SYSTEMS.find((one) => one === named);
  if (fileSystem === undefined) {
    throw wrong(
      'volume_fstype',
      `is ${JSON.stringify(named)}, not one of ${FILE_SYSTEMS.join(', ')}`,
    );
  }
  const words = text('format_options');
  if (words !== null && /['"\\]/.test(words)) {
    throw wrong('format_options', 'holds a quote or a backslash: words between spaces only');
  }
  const common = fileSystem === 'xfs' ? [] : DEFAULT_VOLUME_OPTIONS.formatOptions;
  return {
    fileSystem,
    formatOptions: words?.split(/\s+/) ?? common,
    mountOptions: text('mount_options') ?? DEFAULT_VOLUME_OPTIONS.mountOptions,
  };
}
