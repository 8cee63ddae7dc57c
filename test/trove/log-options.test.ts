import { expect, it } from 'vitest';
import { ConfigurationError } from '../../src/base/errors.ts';
import { OsloConfig } from '../../src/oslo/oslo-config.ts';
import { readLogOptions, type LogOptions } from '../../src/trove/log-options.ts';

const read = (options: Record<string, string>): LogOptions =>
  readLogOptions(
    new OsloConfig(
      Object.entries(options).map(([name, text]) => {
        const [group = '', option = ''] = name.split('.');
        return { group, option, text, where: `a.conf:${name}` };
      }),
    ),
    'k2hdkc',
  );

it("has Trove's own defaults", () => {
  expect(read({})).toEqual({
    container: 'database_logs',
    limitBytes: 1_000_000,
    expirySeconds: 2_592_000,
    exposed: [],
  });
});

it('reads what a site sets', () => {
  const site = {
    'DEFAULT.guest_log_container_name': 'logs of K2HDKC',
    'DEFAULT.guest_log_limit': '5000',
    'DEFAULT.guest_log_expiry': '3600',
    'k2hdkc.guest_log_exposed_logs': 'Chmpx, k2hdkc',
  };
  expect(read(site)).toEqual({
    container: 'logs of K2HDKC',
    limitBytes: 5000,
    expirySeconds: 3600,
    exposed: ['chmpx', 'k2hdkc'],
  });
});

it.each([
  ['guest_log_limit', '0'],
  ['guest_log_expiry', '-1'],
  ['guest_log_container_name', 'a/b'],
  ['guest_log_container_name', '..'],
])('refuses %s = %s, and says where it stands', (option, text) => {
  const name = `DEFAULT.${option}`;
  const wrong = (): unknown => read({ [name]: text });
  expect(wrong).toThrow(ConfigurationError);
  expect(wrong).toThrow(`a.conf:${name}: ${option}`);
});
