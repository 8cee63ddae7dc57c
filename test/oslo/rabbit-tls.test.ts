import { describe, expect, it } from 'vitest';
import type { TlsOptions } from '../../src/amqp/tls.ts';
import { ConfigurationError } from '../../src/base/errors.ts';
import { parseConfig } from '../../src/oslo/config-parser.ts';
import { OsloConfig } from '../../src/oslo/oslo-config.ts';
import { readTlsOptions } from '../../src/oslo/rabbit-tls.ts';

function read(...lines: string[]): TlsOptions | undefined {
  const text = `[oslo_messaging_rabbit]\n${lines.join('\n')}\n`;
  return readTlsOptions(new OsloConfig(parseConfig(text, 'x.conf')));
}

describe('readTlsOptions', () => {
  it('is off by default, whatever else is set', () => {
    expect(read('ssl_ca_file = /ca', 'ssl_version = SSLv2', 'ssl_key_file = /k')).toBeUndefined();
  });

  it('reads the options of oslo.messaging', () => {
    expect(read('ssl = true')).toEqual({ verifyHost: false });
    const files = ['ssl_ca_file = /ca', 'ssl_cert_file = /cert', 'ssl_key_file = /key'];
    const rest = ['ssl_enforce_hostname_verification = yes', 'ssl_version = TLSv1_2'];
    expect(read('ssl = 1', ...files, ...rest)).toEqual({
      caFile: '/ca',
      certFile: '/cert',
      keyFile: '/key',
      verifyHost: true,
      onlyVersion: 'TLSv1.2',
    });
  });

  it('knows the older names, which the newer ones beat', () => {
    const older = [
      'kombu_ssl_ca_certs = /ca',
      'kombu_ssl_certfile = /cert',
      'ssl_cert_file = /new',
    ];
    expect(read('rabbit_use_ssl = on', ...older, 'kombu_ssl_keyfile = /key')).toEqual({
      caFile: '/ca',
      certFile: '/new',
      keyFile: '/key',
      verifyHost: false,
    });
  });

  it.each(['', 'SSLv23', 'sslv23'])('leaves the version to OpenSSL for %j', (version) => {
    expect(read('ssl = true', `ssl_version = ${version}`)).toEqual({ verifyHost: false });
  });

  it.each([
    ['ssl_version = TLSv1', /^x.conf:3: ssl_version is TLSv1; leave it empty for TLS 1.2 or newer/],
    ['kombu_ssl_version = SSLv3', /^x.conf:3: kombu_ssl_version is SSLv3/],
    ['ssl_version = constructor', /^x.conf:3: ssl_version is constructor/],
    ['ssl_key_file = /key', /^x.conf:3: ssl_key_file is set and ssl_cert_file is not/],
    ['ssl_enforce_fips_mode = true', /^x.conf:3: ssl_enforce_fips_mode is on/],
  ])('refuses %s', (line, message) => {
    expect(() => read('ssl = true', line)).toThrow(ConfigurationError);
    expect(() => read('ssl = true', line)).toThrow(message);
  });
});
