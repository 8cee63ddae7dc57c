import { describe, expect, it } from 'vitest';
import type { Scalar } from '../../../src/ini/model/keys.ts';
import type { ClusterModel } from '../../../src/ini/model/model.ts';
import { tlsProblems } from '../../../src/ini/model/tls-problems.ts';

type Keys = Record<string, Scalar>;
const settings = (keys: Keys) => new Map(Object.entries(keys));

/** A ring of the servers s1, s2 … and one slave, c, with these keys. */
function ring(keys: { global?: Keys; servers?: Keys[]; slave?: Keys }): ClusterModel {
  const { global = {}, servers = [{}], slave = {} } = keys;
  return {
    global: {
      group: 'ring',
      mode: 'SERVER',
      idType: 'NAME',
      selfControlPort: 8021,
      selfCuk: 's1',
      settings: settings(global),
    },
    servers: servers.map((own, n) => {
      const name = `s${n + 1}`;
      return { name, cuk: name, port: 8020, controlPort: 8021, settings: settings(own) };
    }),
    slaves: [{ name: 'c', controlPort: 8031, settings: settings(slave) }],
    k2hdkc: undefined,
  };
}

const SERVER = { SERVER_CERT: '/s.crt', SERVER_PRIKEY: '/s.key' };
const SLAVE = { SLAVE_CERT: '/c.crt', SLAVE_PRIKEY: '/c.key' };

describe('a ring is as chmpx wants it', () => {
  it.each<[string, Parameters<typeof ring>[0]]>([
    ['without TLS', {}],
    ['without TLS in so many words', { global: { SSL: false, SSL_VERIFY_PEER: false } }],
    ['with the default version', { global: { SSL_MIN_VER: 'DEFAULT' } }],
    ['with TLS from [GLOBAL]', { global: { SSL: true, CAPATH: '/ca', ...SERVER } }],
    ['with TLS on one server of two', { servers: [{ SSL: true, ...SERVER }, {}] }],
    [
      'with verified peers',
      { global: { SSL: true, SSL_VERIFY_PEER: true, SSL_MIN_VER: 'TLSV1_2', ...SERVER, ...SLAVE } },
    ],
    [
      'with CAPATH on the slave of a server that has TLS',
      { servers: [{ SSL: true, ...SERVER }], slave: { CAPATH: '/ca' } },
    ],
  ])('%s', (_what, keys) => {
    expect(tlsProblems(ring(keys))).toEqual([]);
  });
});

describe('a ring is not', () => {
  it.each<[string, Parameters<typeof ring>[0], string[]]>([
    [
      'with a version and an NSS database in [GLOBAL], and TLS on the server only',
      { global: { SSL_MIN_VER: 'TLSV1_2', NSSDB_DIR: '/db' }, servers: [{ SSL: true, ...SERVER }] },
      [
        '[GLOBAL] NSSDB_DIR is given there, but [GLOBAL] SSL is not yes',
        '[GLOBAL] SSL_MIN_VER is given there, but [GLOBAL] SSL is not yes',
      ],
    ],
    [
      'with TLS and no key',
      { servers: [{ SSL: true, SERVER_CERT: '/s.crt' }] },
      ['[SVRNODE] s1 has SSL = yes, but no SERVER_PRIKEY'],
    ],
    [
      'with a server that goes without what [GLOBAL] gives it',
      { global: { SSL: true, ...SERVER }, servers: [{}, { SSL: false }] },
      [
        '[SVRNODE] s2 has SERVER_CERT, but SSL = no',
        '[SVRNODE] s2 has SERVER_PRIKEY, but SSL = no',
      ],
    ],
    [
      'with a server that verifies without TLS',
      { servers: [{ SSL_VERIFY_PEER: true }] },
      ['[SVRNODE] s1 has SSL_VERIFY_PEER = yes, but SSL = no'],
    ],
    [
      'with CAPATH and no TLS anywhere',
      { slave: { CAPATH: '/ca' } },
      ['[SLVNODE] c has CAPATH, but no server has SSL = yes'],
    ],
    [
      'with one server that verifies peers, of which none has a certificate',
      { servers: [{ SSL: true, SSL_VERIFY_PEER: true, ...SERVER }] },
      [
        '[SVRNODE] s1 has no SLAVE_CERT, but servers have SSL_VERIFY_PEER = yes',
        '[SVRNODE] s1 has no SLAVE_PRIKEY, but servers have SSL_VERIFY_PEER = yes',
        '[SLVNODE] c has no SLAVE_CERT, but servers have SSL_VERIFY_PEER = yes',
        '[SLVNODE] c has no SLAVE_PRIKEY, but servers have SSL_VERIFY_PEER = yes',
      ],
    ],
    [
      'with a certificate of a slave that nobody asks for',
      { servers: [{ SSL: true, ...SERVER }], slave: SLAVE },
      [
        '[SLVNODE] c has SLAVE_CERT, but no server has SSL_VERIFY_PEER = yes',
        '[SLVNODE] c has SLAVE_PRIKEY, but no server has SSL_VERIFY_PEER = yes',
      ],
    ],
  ])('%s', (_what, keys, problems) => {
    expect(tlsProblems(ring(keys))).toEqual(problems);
  });
});
