import { describe, expect, it } from 'vitest';
import { validateRole, type Expected } from '../../../src/ini/model/validate.ts';
import { CUK1, roleModel, withLine } from '../roles.ts';

const SERVER: Expected = {
  clusterName: 'mycluster',
  cuk: CUK1,
  serverPort: 8020,
  serverControlPort: 8021,
  mode: 'server',
};
const SLAVE: Expected = {
  clusterName: 'mycluster',
  cuk: '00000009-aaaa-4bbb-8ccc-000000000009',
  mode: 'slave',
};

function problems(edit: (text: string) => string, expected = SERVER): string[] {
  return validateRole(roleModel('threeServers', edit), expected).map(({ kind, text }) => {
    expect(kind).toBe('not-sane');
    return text;
  });
}

describe('validateRole', () => {
  it('takes what a real K2HR3 answers', () => {
    expect(validateRole(roleModel('twoServers'), SERVER)).toEqual([]);
    expect(validateRole(roleModel('threeServers'), SERVER)).toEqual([]);
    expect(validateRole(roleModel('threeServersOneSlave'), SERVER)).toEqual([]);
    expect(validateRole(roleModel('ofSlave'), SLAVE)).toEqual([]);
  });

  it('tells "not registered" from "not sane"', () => {
    const stranger = { ...SERVER, cuk: 'somebody-else' };
    const text = '[SVRNODE] none has CUK = "somebody-else": this node is not registered';
    expect(validateRole(roleModel(), stranger)).toEqual([{ kind: 'not-registered', text }]);
    expect(validateRole(roleModel('noServers'), SERVER)).toMatchObject([
      { kind: 'not-registered' },
    ]);
  });

  it('tells a slave that the role lacks', () => {
    const text = '[SLVNODE] none has CUK = "somebody-else": this node is not registered';
    expect(validateRole(roleModel('ofSlave'), { ...SLAVE, cuk: 'somebody-else' })).toEqual([
      { kind: 'not-registered', text },
    ]);
  });

  it('wants the slave itself to be one that chmpx can find and name', () => {
    const model = roleModel('ofSlave');
    const slaves = model.slaves.map(({ name, cuk = '', settings }) => ({
      name,
      cuk,
      settings,
      controlPort: 9031,
    }));
    expect(validateRole({ ...model, slaves }, SLAVE).map(({ text }) => text)).toEqual([
      '[SLVNODE] node9.novalocal: CTLPORT = 9031 is not SELFCTLPORT',
      '[SLVNODE] node9.novalocal has no CUSTOM_ID_SEED, and CHMPXIDTYPE is CUSTOM',
    ]);
  });

  it('says nothing about registration when the document is not sane', () => {
    const found = problems((text) => withLine(text, 'GROUP', 'GROUP = other'), {
      ...SERVER,
      cuk: 'somebody-else',
    });
    expect(found).toEqual(['[GLOBAL] GROUP = "other" is not the cluster\'s name "mycluster"']);
  });

  it('refuses a ring without servers for a slave', () => {
    const model = { ...roleModel('ofSlave'), servers: [] };
    expect(validateRole(model, SLAVE)).toEqual([
      { kind: 'not-sane', text: '[SVRNODE] there is none' },
    ]);
  });

  it.each([
    ['another mode', withLineOf('MODE', 'MODE = SLAVE'), /MODE = SLAVE is not SERVER/],
    ['another self', withLineOf('SELFCUK', 'SELFCUK = x'), /SELFCUK = "x" is another node's/],
    ['MQACK', withLineOf('MQACK', 'MQACK = yes'), /MQACK = yes .* only starts with no/],
    ['no MQACK', withLineOf('MQACK', ''), /MQACK = yes \(its default\)/],
    [
      'another control port',
      withLineOf('SELFCTLPORT', 'SELFCTLPORT = 8031'),
      /SELFCTLPORT = 8031 is not the 8021 configured/,
    ],
    [
      'another port',
      (text: string) => text.replaceAll('8020', '8120'),
      /\[SVRNODE\] node1.novalocal: PORT = 8120 is not the 8020 configured/,
    ],
    [
      'a CUK given twice',
      (text: string) => text.replace('00000002-aaaa-4bbb-8ccc-000000000002', CUK1),
      /CUK = "00000001-.*" is given to two nodes/,
    ],
    [
      'a seed given twice',
      withLineOf('CUSTOM_ID_SEED', 'CUSTOM_ID_SEED = node2.novalocal'),
      /CUSTOM_ID_SEED = "node2.novalocal" is given to two nodes/,
    ],
    [
      'a name and control port given twice',
      withLineOf('NAME', 'NAME = node2.novalocal'),
      /NAME:CTLPORT = "node2.novalocal:8021" is given to two nodes/,
    ],
    ['a missing seed', withLineOf('CUSTOM_ID_SEED', ''), /node1.novalocal has no CUSTOM_ID_SEED/],
    [
      'ids of missing endpoints',
      withLineOf('CHMPXIDTYPE', 'CHMPXIDTYPE = CTLEPS'),
      /node1.novalocal has no CTLENDPOINTS/,
    ],
    [
      'no slave',
      (text: string) => text.replace(/\[SLVNODE\][^[]*/, ''),
      /\[SLVNODE\] there is none/,
    ],
    ['no k2hdkc', (text: string) => text.replace(/\[K2HDKC\][^[]*/, ''), /\[K2HDKC\] is missing/],
    ['no data file', withLineOf('K2HFILE', ''), /K2HTYPE = file, but no K2HFILE/],
    [
      'threads',
      withLineOf('MAXTHREAD', 'MAXTHREAD = 2\nMINTHREAD = 3'),
      /MINTHREAD = 3 is more than MAXTHREAD = 2/,
    ],
    [
      'TLS without a certificate',
      (text: string) => text.replaceAll(/^SSL .*$/gm, 'SSL = yes'),
      /node1.novalocal has SSL = yes, but no SERVER_CERT/,
    ],
    [
      'a certificate without TLS',
      withLineOf('CUSTOM_ID_SEED', 'CUSTOM_ID_SEED = s\nSERVER_CERT = /x.crt'),
      /node1.novalocal has SERVER_CERT, but SSL = no/,
    ],
  ])('refuses %s', (_what, edit, text) => {
    expect(problems(edit).join('\n')).toMatch(text);
  });

  it('refuses a cluster name that cannot be part of a file name', () => {
    const found = problems(withLineOf('GROUP', 'GROUP = a/b'), { ...SERVER, clusterName: 'a/b' });
    expect(found).toEqual(['[GLOBAL] GROUP = "a/b" has a /, and chmpx makes file names of it']);
  });

  it('wants the own control port to be the one that chmpx looks for itself by', () => {
    const expected: Expected = { clusterName: 'mycluster', cuk: CUK1, mode: 'server' };
    const found = problems(withLineOf('SELFCTLPORT', 'SELFCTLPORT = 8022'), expected);
    expect(found).toEqual(['[SVRNODE] node1.novalocal: CTLPORT = 8021 is not SELFCTLPORT']);
  });
});

function withLineOf(key: string, line: string): (text: string) => string {
  return (text) => withLine(text, key, line);
}
