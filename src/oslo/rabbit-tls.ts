import type { SecureVersion } from 'node:tls';
import type { TlsOptions } from '../amqp/tls.ts';
import { ConfigurationError } from '../base/errors.ts';
import type { OsloConfig } from './oslo-config.ts';

/** The group of all options of the rabbit driver. */
export const RABBIT_GROUP = 'oslo_messaging_rabbit';

/** The options that have an older name, which oslo.messaging reads too. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  ssl: 'rabbit_use_ssl',
  ssl_version: 'kombu_ssl_version',
  ssl_ca_file: 'kombu_ssl_ca_certs',
  ssl_cert_file: 'kombu_ssl_certfile',
  ssl_key_file: 'kombu_ssl_keyfile',
};

/**
 * The values of ssl_version, in lower case as oslo.messaging compares them. SSLv23 is Python's name
 * for "the best that both know"; older protocols are broken, and Debian's OpenSSL refuses them.
 */
const VERSIONS: ReadonlyMap<string, SecureVersion | null> = new Map([
  ['', null],
  ['sslv23', null],
  ['tlsv1_2', 'TLSv1.2'],
]);

/**
 * What the options say about TLS; undefined when it is off. Whether the files can be used shows when
 * they are read.
 *
 * @throws ConfigurationError for a version that is not supported, a key without its certificate, and
 *   FIPS mode.
 */
export function readTlsOptions(config: OsloConfig): TlsOptions | undefined {
  const nameOf = (option: string): string => {
    const older = OLDER_NAMES[option];
    const isSet = config.where(RABBIT_GROUP, option) !== undefined;
    return isSet || older === undefined ? option : older;
  };
  const text = (option: string): string => config.string(RABBIT_GROUP, nameOf(option), '').trim();
  const refused = (option: string, what: string): ConfigurationError => {
    const name = nameOf(option);
    return new ConfigurationError(
      `${config.where(RABBIT_GROUP, name) ?? RABBIT_GROUP}: ${name} ${what}`,
    );
  };

  if (!config.boolean(RABBIT_GROUP, nameOf('ssl'), false)) return undefined;
  if (config.boolean(RABBIT_GROUP, 'ssl_enforce_fips_mode', false)) {
    throw refused('ssl_enforce_fips_mode', 'is on, and this agent has no FIPS mode; switch it off');
  }
  const version = VERSIONS.get(text('ssl_version').toLowerCase());
  if (version === undefined) {
    throw refused(
      'ssl_version',
      `is ${text('ssl_version')}; leave it empty for TLS 1.2 or newer, or write TLSv1_2`,
    );
  }
  const [caFile, certFile, keyFile] = ['ssl_ca_file', 'ssl_cert_file', 'ssl_key_file'].map(text);
  if (keyFile && !certFile) {
    throw refused('ssl_key_file', 'is set and ssl_cert_file is not; set both or none');
  }
  return {
    ...(caFile && { caFile }),
    ...(certFile && { certFile }),
    ...(keyFile && { keyFile }),
    verifyHost: config.boolean(RABBIT_GROUP, 'ssl_enforce_hostname_verification', false),
    ...(version && { onlyVersion: version }),
  };
}
