import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/base/errors.ts';
import {
  describeOverrides,
  NO_OVERRIDES,
  overriddenPaths,
  overrideProblems,
  readIniOverrides,
  withOverrides,
  type GivenOverrides,
  type IniOverrides,
} from '../../../src/ini/model/ini-overrides.ts';
import { renderIni } from '../../../src/ini/text/render.ts';
import { validateRole } from '../../../src/ini/model/validate.ts';
import { CUK1, roleModel } from '../roles.ts';

const NONE: GivenOverrides = { global: {}, server: {}, slave: {}, k2hdkc: {} };

function read(given: Partial<GivenOverrides>, mode: 'server' | 'slave' = 'server'): IniOverrides {
  return readIniOverrides({ ...NONE, ...given }, 'agent.yaml', mode);
}

describe('readIniOverrides', () => {
  it('takes YAML words, numbers and switches as chmpx would', () => {
    const { global, k2hdkc } = read({
      global: { REPLICA: 2, SSL: true, AUTOMERGE: 'on', DOMERGE: 'YES', SOCKTHREADCNT: '16' },
      k2hdkc: { MAXTHREAD: 50, K2HFILE: '/data/k2hdkc.k2h' },
    });
    expect(Object.fromEntries(global)).toEqual({
      REPLICA: 2,
      SSL: true,
      AUTOMERGE: true,
      DOMERGE: true,
      SOCKTHREADCNT: 16,
    });
    expect(Object.fromEntries(k2hdkc)).toEqual({ MAXTHREAD: 50, K2HFILE: '/data/k2hdkc.k2h' });
  });

  it.each([
    [
      'a key that chmpx does not know',
      { global: { THREADS: 8 } },
      'agent.yaml: ini.global.THREADS is no key of [GLOBAL]: it would be passed over silently',
    ],
    [
      'a key in small letters',
      { k2hdkc: { maxthread: 8 } },
      'ini.k2hdkc.maxthread is no key of [K2HDKC]: it would be passed over silently; it is written MAXTHREAD',
    ],
    ['a key of another section', { global: { MAXTHREAD: 8 } }, 'silently; ini.k2hdkc has it'],
    [
      'a number that atoi would cut',
      { global: { SOCKTHREADCNT: '8x' } },
      'ini.global.SOCKTHREADCNT = "8x" is not a number from 0',
    ],
    [
      'a number that chmpx would lower',
      { global: { MAXCHMPX: 40_000 } },
      'MAXCHMPX = "40000" is not a number from 1 to 32768',
    ],
    ['half a thread', { global: { MQTHREADCNT: 1.5 } }, 'MQTHREADCNT = "1.5" is not a number'],
    ['a switch that is neither', { global: { SSL: 'maybe' } }, 'SSL = "maybe" is neither yes'],
    ['a path with a comment in it', { k2hdkc: { K2HFILE: '/a#b' } }, 'K2HFILE = "/a#b" may not'],
    ['a quoted path', { k2hdkc: { K2HFILE: '"/a"' } }, 'may not hold quotes'],
    ['a relative path', { k2hdkc: { K2HFILE: 'a.k2h' } }, 'must be an absolute path'],
    ['a second line', { global: { CAPATH: '/a\n[EVIL]' } }, 'may not hold quotes'],
    [
      'the name of the cluster',
      { global: { GROUP: 'x' } },
      "GROUP cannot be set: it is the role's",
    ],
    ['a port', { global: { CTLPORT: 9021 } }, 'every node has its own from the role'],
    ['the id of all nodes', { server: { CUK: 'x' } }, 'it is different for every node'],
    ['TLS in a slave', { slave: { SSL: true } }, 'chmpx never reads it in [SLVNODE]'],
    ['a key that is never used', { k2hdkc: { K2HINIT: true } }, 'reads it and never uses it'],
    ['a secret', { k2hdkc: { PASSPHRASES: 'x' } }, 'everybody on the VM can read the ini'],
    [
      'switches that chmpx would change',
      { global: { AUTOMERGE: true, DOMERGE: false } },
      'ini.global: AUTOMERGE = yes with DOMERGE = no: chmpx would turn AUTOMERGE off',
    ],
    [
      'threads that k2hdkc refuses',
      { k2hdkc: { MINTHREAD: 9, MAXTHREAD: 8 } },
      'ini.k2hdkc: MINTHREAD = 9 is more than MAXTHREAD = 8',
    ],
    [
      'a memory database that k2hdkc refuses',
      { k2hdkc: { K2HTYPE: 'mem', K2HFULLMAP: false } },
      'K2HTYPE = mem with K2HFULLMAP = no',
    ],
  ])('refuses %s, in one line with the reason', (_, given, message) => {
    expect(() => read(given)).toThrow(ConfigurationError);
    expect(() => read(given)).toThrow(message);
    expect(() => read(given)).not.toThrow(/\n/);
  });

  it('refuses k2hdkc keys for a slave, which runs none', () => {
    expect(() => read({ k2hdkc: { MAXTHREAD: 8 } }, 'slave')).toThrow('a slave runs no k2hdkc');
  });

  it('knows the files that must be there', () => {
    const overrides = read({
      server: { SERVER_CERT: '/tls/cert.pem' },
      k2hdkc: { K2HFILE: '/data/a.k2h', PASSFILE: '/etc/pass' },
    });
    expect(overriddenPaths(overrides)).toEqual([
      { key: 'ini.server.SERVER_CERT', path: '/tls/cert.pem' },
      { key: 'ini.k2hdkc.PASSFILE', path: '/etc/pass' },
    ]);
  });
});

describe('withOverrides', () => {
  it('changes nothing when nothing is set', () => {
    expect(withOverrides(roleModel(), NO_OVERRIDES)).toEqual(roleModel());
    expect(describeOverrides(NO_OVERRIDES)).toBe('');
  });

  it('puts what the operator sets in place of the role, and adds what the role lacks', () => {
    const overrides = read({ global: { REPLICA: 2 }, k2hdkc: { MAXTHREAD: 9, EXPIRE: 60 } });
    const text = renderIni(withOverrides(roleModel(), overrides), {
      origin: 'a test',
      overridden: describeOverrides(overrides),
    });
    expect(text).toContain('global.REPLICA, k2hdkc.MAXTHREAD, k2hdkc.EXPIRE.\n');
    expect(text).toContain('\nREPLICA = 2\n');
    expect(text).toContain('\nMAXTHREAD = 9\nEXPIRE = 60\n');
    expect(text).not.toContain('MAXTHREAD = 20');
  });

  it('lets TLS of global go before the SSL = no that the template writes into every node', () => {
    const overrides = read({
      global: { SSL: true, SERVER_CERT: '/tls/cert.pem', SERVER_PRIKEY: '/tls/key.pem' },
    });
    const model = withOverrides(roleModel(), overrides);
    for (const server of model.servers) expect(server.settings.has('SSL')).toBe(false);
    expect(validateRole(model, { clusterName: 'mycluster', cuk: CUK1, mode: 'server' })).toEqual(
      [],
    );
  });

  it.each([
    [{ global: { CAPATH: '/tls' } }, 'has CAPATH, but no server has SSL = yes'],
    [
      { global: { SSL_MIN_VER: 'TLSv1.2' } },
      '[GLOBAL] SSL_MIN_VER is given there, but [GLOBAL] SSL',
    ],
    [{ server: { SSL: true } }, 'has SSL = yes, but no SERVER_CERT'],
    [
      { global: { SSL: true, SERVER_CERT: '/c', SERVER_PRIKEY: '/k', SSL_VERIFY_PEER: true } },
      'has no SLAVE_CERT, but servers have SSL_VERIFY_PEER = yes',
    ],
    [{ slave: { SLAVE_CERT: '/c' } }, 'has SLAVE_CERT, but no server has SSL_VERIFY_PEER = yes'],
  ])('is refused with the role when chmpx would refuse it: %o', (given, text) => {
    const model = withOverrides(roleModel(), read(given));
    const found = validateRole(model, { clusterName: 'mycluster', cuk: CUK1, mode: 'server' });
    expect(found.map((problem) => problem.text).join('\n')).toContain(text);
  });

  it('is refused with the role when chmpx would change it', () => {
    const overrides = read({ global: { REPLICA: 300 } });
    expect(overrideProblems(withOverrides(roleModel(), overrides), overrides)).toEqual([
      '[GLOBAL] REPLICA = 300 is more than MAXCHMPX = 256: chmpx would lower it (see ini.global of agent.yaml)',
    ]);
  });
});
