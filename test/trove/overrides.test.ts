import { describe, expect, it } from 'vitest';
import { OverridesError, readOverrides } from '../../src/trove/overrides.ts';
import type { JsonObject } from '../../src/trove/json.ts';
import { readFixture, type ApiCall } from './fixtures.ts';

const URL_TEXT = 'http://192.0.2.20:18080/v1/extdata/trove/a%2Fb%2Bc%3D';
const good = { 'cluster-name': 'k2hdkccluster', 'extdata-url': URL_TEXT };
const problem = (overrides: JsonObject): string => {
  try {
    readOverrides(overrides);
  } catch (error) {
    if (error instanceof OverridesError) return error.message;
    throw error;
  }
  throw new Error('accepted');
};

describe('a configuration group', () => {
  it('is read as the real Trove sends it', () => {
    const prepare = (readFixture('api_calls_master.json') as ApiCall[])[0];
    expect(readOverrides(prepare?.args['overrides'] as JsonObject)).toEqual({
      parameters: {
        clusterName: 'k2hdkccluster',
        extdataUrl: 'http://192.0.2.20:18080/k2hdkc/1234',
        serverPort: 8020,
        serverControlPort: 8021,
        slaveControlPort: 8031,
      },
      warnings: [],
    });
  });

  it.each([null, {}])('is not attached: %j', (overrides) => {
    expect(readOverrides(overrides)).toBeNull();
  });

  it('keeps the extdata URL letter by letter', () => {
    expect(readOverrides(good)?.parameters).toEqual({
      clusterName: 'k2hdkccluster',
      extdataUrl: URL_TEXT,
    });
  });

  it('reports keys that are not K2HDKC parameters, and works without them', () => {
    const read = readOverrides({ ...good, max_connections: 5, 'line\nbreak': 1 });
    expect(read?.parameters.clusterName).toBe('k2hdkccluster');
    expect(read?.warnings).toEqual([
      '"max_connections" is not a K2HDKC parameter and is ignored',
      '"line\\nbreak" is not a K2HDKC parameter and is ignored',
    ]);
  });

  it('names everything that is wrong in one line', () => {
    const text = problem({ 'chmpx-server-port': 'x', 'chmpx-slave-ctlport': 99999 });
    for (const key of [
      'cluster-name is missing',
      'extdata-url is missing',
      'chmpx-server-port = "x"',
      'chmpx-slave-ctlport = 99999',
    ]) {
      expect(text).toContain(key);
    }
    expect(text).not.toContain('\n');
  });
});

describe('ports', () => {
  it.each([
    [8020, 8020],
    ['8020', 8020],
    [' 8021 ', 8021],
    [1, 1],
    [32767, 32767],
    ['32767', 32767],
    [null, undefined],
    ['', undefined],
  ])('%j is %j', (value, port) => {
    const parameters = readOverrides({ ...good, 'chmpx-server-port': value })?.parameters;
    expect(parameters?.serverPort).toBe(port);
    expect(Object.hasOwn(parameters ?? {}, 'serverPort')).toBe(port !== undefined);
  });

  it.each(['chmpx-server-port', 'chmpx-server-ctlport', 'chmpx-slave-ctlport'])(
    '%s above 32767 is refused and says why',
    (key) => {
      for (const value of [40020, '40020']) {
        expect(problem({ ...good, [key]: value })).toContain(
          `${key} = 40020: a port above 32767 is a negative number to chmpx`,
        );
      }
      expect(problem({ ...good, [key]: 32768 })).toContain(`${key} = 32768`);
    },
  );

  it.each([0, -1, 80.5, true, '0', '-5', '8020x', '0x1f', '8e3', 'abc', [8020], {}])(
    '%j is refused',
    (value) => {
      expect(problem({ ...good, 'chmpx-server-ctlport': value })).toContain(
        'chmpx-server-ctlport = ',
      );
    },
  );
});

describe('cluster-name', () => {
  it.each(['a', 'My_cluster-1.2', '0', 'x'.repeat(255)])('%s is fine', (name) => {
    const read = readOverrides({ ...good, 'cluster-name': name });
    expect(read?.parameters.clusterName).toBe(name);
  });

  it.each(['a b', 'a/b', '..', '.a', '-a', 'a\n', 'é', 'a;b', 'x'.repeat(256), 5, true, ['a']])(
    '%j is refused',
    (name) => {
      expect(problem({ ...good, 'cluster-name': name })).toContain('cluster-name = ');
    },
  );
});

describe('extdata-url', () => {
  it.each(['ftp://h/x', 'h/x', '/x', 'http://', 'http://h/a b', 'http://h/\n[GLOBAL]', 5])(
    '%j is refused without showing it',
    (value) => {
      const text = problem({ ...good, 'extdata-url': value });
      expect(text).toContain('extdata-url is not an http or https URL');
      expect(text).not.toContain(String(value));
    },
  );

  it('may be https', () => {
    const read = readOverrides({ ...good, 'extdata-url': 'https://h/x' });
    expect(read?.parameters.extdataUrl).toBe('https://h/x');
  });
});

describe('proxies', () => {
  it('are taken as they are', () => {
    const proxies = {
      http_proxy: 'http://p:3128',
      https_proxy: 'p:3128',
      no_proxy: 'localhost, 192.0.2.20',
    };
    expect(readOverrides({ ...good, ...proxies })?.parameters).toMatchObject({
      httpProxy: 'http://p:3128',
      httpsProxy: 'p:3128',
      noProxy: 'localhost, 192.0.2.20',
    });
  });

  it.each(['None', 'none', 'false', 'NO', '', ' ', 'empty', 'n/a', '0', null, false, 0])(
    '%j means none',
    (value) => {
      const read = readOverrides({ ...good, http_proxy: value, no_proxy: value });
      expect(Object.keys(read?.parameters ?? {})).toEqual(['clusterName', 'extdataUrl']);
    },
  );

  it.each(['http://user:geheim@p\n', 'a\tb', true, 5])(
    '%j is refused without showing it',
    (value) => {
      const text = problem({
        ...good,
        http_proxy: typeof value === 'string' ? `x${value}y` : value,
      });
      expect(text).toContain('http_proxy');
      expect(text).not.toContain('geheim');
    },
  );
});
