import { describe, expect, it } from 'vitest';
import {
  readRoleDocument,
  type RoleDocument,
  type RoleExpectations,
} from '../../src/role/role-document.ts';
import { RoleRefusedError } from '../../src/role/role-refused.ts';
import { NO_OVERRIDES } from '../../src/ini/model/ini-overrides.ts';
import type { Scalar } from '../../src/ini/model/keys.ts';
import { CUK1, ROLE_FOLDERS, roleText, withLine, type ROLES } from '../ini/roles.ts';
import { PARAMETERS, registrationFor } from '../node/builders.ts';

const EXPECTED: RoleExpectations = { clusterName: 'mycluster', folders: ROLE_FOLDERS };

function readText(text: string, expected = EXPECTED, cuk = CUK1): RoleDocument {
  return readRoleDocument(text, { ...registrationFor(PARAMETERS), cuk }, expected);
}

function read(role: keyof typeof ROLES, expected = EXPECTED, cuk = CUK1): RoleDocument {
  return readText(roleText(role), expected, cuk);
}

describe('a role resource that K2HR3 expanded', () => {
  it('gives the ini of a node that is in the ring', () => {
    const { ini, servers, neighbours, dataDirectory } = read('threeServers');
    expect(neighbours).toEqual([
      { name: 'node2.novalocal', controlPort: 8021, before: false },
      { name: 'node3.novalocal', controlPort: 8021, before: false },
    ]);
    expect(dataDirectory).toBe('/var/lib/antpickax/k2hdkc');
    expect(servers).toEqual(['node1.novalocal', 'node2.novalocal', 'node3.novalocal']);
    expect(ini?.text).toContain(`SELFCUK = ${CUK1}\n`);
    expect(ini?.text).toContain('NAME = node3.novalocal\n');
    expect(ini?.text).toContain('from yrn:yahoo:::tenant0:resource:mycluster/server.');
    expect(ini?.text).not.toContain('role-token');
  });

  it('says where the data is, and how a file of it is laid out', () => {
    expect(read('threeServers').k2h).toEqual({
      file: '/var/lib/antpickax/k2hdkc/k2hdkc.k2h',
      geometry: {
        maskBit: 8,
        collisionMaskBit: 8,
        maxElements: 32,
        pageSize: 512,
        fullMap: true,
      },
    });
  });

  it('leaves merges to the agents, when they lead them', () => {
    const { ini } = read('threeServers', { ...EXPECTED, merge: 'coordinated' });
    expect(ini?.text).toContain('AUTOMERGE = no\n');
    expect(ini?.text).toContain('DOMERGE = yes\n');
    expect(read('threeServers', { ...EXPECTED, merge: 'automatic' }).ini?.text).toContain(
      'AUTOMERGE = yes\n',
    );
  });

  it('has queues between k2hdkc and chmpx that are long, where the kernel takes them', () => {
    const queues = (more: Partial<RoleExpectations>): (string | undefined)[] => {
      const { ini } = read('threeServers', { ...EXPECTED, ...more });
      return ['MAXQPERSERVERMQ', 'MAXQPERCLIENTMQ'].map(
        (key) => new RegExp(`^${key} = (\\d+)$`, 'm').exec(ini?.text ?? '')?.[1],
      );
    };
    expect(queues({}), "the role's").toEqual(['8', '8']);
    expect(queues({ queueMessages: 1025 })).toEqual(['64', '64']);
    expect(queues({ queueMessages: 10 }), 'more than the kernel takes').toEqual(['8', '8']);
    const overrides = {
      ...NO_OVERRIDES,
      global: new Map<string, Scalar>([['MAXQPERSERVERMQ', 9]]),
    };
    expect(queues({ queueMessages: 1025, overrides }), "the operator's").toEqual(['9', '64']);
  });

  it('is the same ini for the same ring', () => {
    expect(read('threeServers').ini).toEqual(read('threeServers').ini);
    expect(read('threeServers').ini?.text).not.toBe(read('twoServers').ini?.text);
  });

  it('gives no ini to a node that the ring lacks, so that it registers', () => {
    const nothing = { ini: null, neighbours: [], dataDirectory: null, k2h: null };
    const { cuks, ...lacking } = read('threeServers', EXPECTED, 'another-cuk');
    expect(lacking).toEqual({
      ...nothing,
      roleFile: '/var/lib/antpickax/k2hdkc/k2hdkc.k2h',
      servers: ['node1.novalocal', 'node2.novalocal', 'node3.novalocal'],
    });
    expect(cuks.size).toBe(3);
    expect(read('noServers')).toMatchObject({ ...nothing, servers: [], cuks: new Set() });
  });

  it('agrees with the ports that were configured', () => {
    const ports = { serverPort: 8020, serverControlPort: 8021 };
    expect(read('threeServers', { ...EXPECTED, ...ports }).ini).not.toBeNull();
  });
});

describe('a text that is refused, in one line that says why', () => {
  const text = roleText('threeServers');
  it.each([
    ['a tag with a newline and a section of its own', roleText('tagWithNewline'), 'EVIL'],
    ['a tag with quotes', roleText('tagWithQuotes'), '[SVRNODE]'],
    ['the role of a slave', roleText('ofSlave'), 'MODE = SLAVE is not SERVER'],
    ['another cluster', withLine(text, 'GROUP', 'GROUP = another'), 'GROUP'],
    ['a port that chmpx takes for negative', withLine(text, 'PORT', 'PORT = 40020'), '40020'],
    ['a template that was not expanded', `${text}\n{{ x }}\n`, '{{'],
    ['no ini at all', '<html>\n</html>\n', 'GLOBAL'],
    ['half of it', `${text.slice(0, text.indexOf('[SLVNODE]'))}\n`, '[SLVNODE]'],
  ])('%s', (_, role, why) => {
    let thrown: unknown;
    try {
      readText(role);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(RoleRefusedError);
    const { message, retryable } = thrown as RoleRefusedError;
    expect(retryable).toBe(true);
    expect(message).toMatch(/^the role resource is refused: /);
    expect(message).toContain(why);
    expect(message).not.toMatch(/[\r\n]/);
  });

  it('ports other than those configured', () => {
    expect(() => read('threeServers', { ...EXPECTED, serverPort: 9020 })).toThrow('9020');
    expect(() => read('threeServers', { ...EXPECTED, serverControlPort: 9021 })).toThrow('9021');
  });

  it('also for a node that the ring lacks', () => {
    expect(() => read('tagWithNewline', EXPECTED, 'another-cuk')).toThrow('refused');
  });

  it('is that of a slave too, whose cluster K2HR3 names in small letters', () => {
    const text = roleText('ofSlave').replace(/^GROUP .*$/m, 'GROUP = MyCluster');
    const { ini, servers, neighbours, dataDirectory } = readRoleDocument(
      text,
      {
        ...registrationFor(PARAMETERS),
        cuk: '00000009-aaaa-4bbb-8ccc-000000000009',
        roleName: 'yrn:yahoo:::tenant0:role:mycluster/slave',
      },
      { mode: 'slave', clusterName: '', queueMessages: 1025, folders: ROLE_FOLDERS },
    );
    expect(ini?.text).toContain('GROUP = MyCluster\nMODE = SLAVE\n');
    expect([servers.length, neighbours.length, dataDirectory]).toEqual([3, 3, null]);
    expect(ini?.text, 'its clients pay for their own queues').toContain('MAXQPERCLIENTMQ = 8\n');
  });

  it('has one entry for two slaves of one name, and for such a slave its own only', () => {
    const own = '00000009-aaaa-4bbb-8ccc-000000000009';
    const doubled = (text: string): string => {
      const entry = /\[SLVNODE\][^[]*/.exec(text)?.[0] ?? '';
      return `${text}\n${entry.replace(own, 'another')}`;
    };
    const cuks = (text = ''): string[] =>
      [...text.matchAll(/\[SLVNODE\][^[]*?^CUK = (.*)$/gm)].map(([, cuk = '']) => cuk);
    const server = readText(doubled(roleText('threeServersOneSlave')));
    expect(cuks(server.ini?.text)).toEqual([`${own}|another`]);
    const registration = {
      ...registrationFor(PARAMETERS),
      cuk: own,
      roleName: 'yrn:yahoo:::tenant0:role:mycluster/slave',
    };
    const of = { ...EXPECTED, mode: 'slave' as const };
    const slave = readRoleDocument(doubled(roleText('ofSlave')), registration, of);
    expect(cuks(slave.ini?.text)).toEqual([own]);
  });

  it('has what the operator sets, and says so', () => {
    const global = new Map<string, Scalar>([['REPLICA', 2]]);
    const { ini } = read('threeServers', { ...EXPECTED, overrides: { ...NO_OVERRIDES, global } });
    expect(ini?.text).toContain('\nREPLICA = 2\n');
    expect(ini?.text).toContain('# Set by ini: in agent.yaml: global.REPLICA.\n');
    global.set('REPLICA', 300);
    expect(() =>
      read('threeServers', { ...EXPECTED, overrides: { ...NO_OVERRIDES, global } }),
    ).toThrow('REPLICA = 300 is more than MAXCHMPX = 256: chmpx would lower it');
  });
});
