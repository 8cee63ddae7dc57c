import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { whyOutside } from '../../src/host/held-folder.ts';
import {
  NO_OVERRIDES,
  readIniOverrides,
  type IniOverrides,
} from '../../src/ini/model/ini-overrides.ts';
import { KEYS, type SectionName } from '../../src/ini/model/keys.ts';
import { rolePathProblems } from '../../src/ini/model/role-paths.ts';
import { readRoleDocument } from '../../src/role/role-document.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { CUK1, ROLE_FOLDERS, roleModel, roleText, set } from '../ini/roles.ts';
import { PARAMETERS, registrationFor } from '../node/builders.ts';

/** A role with one more line at the top of its first section of this name. */
function roleWith(section: SectionName, line: string): string {
  return roleText('threeServersOneSlave').replace(`[${section}]`, `[${section}]\n${line}`);
}

function refusal(text: string, overrides: IniOverrides = NO_OVERRIDES): string | null {
  const registration = { ...registrationFor(PARAMETERS), cuk: CUK1 };
  const expected = { clusterName: 'mycluster', folders: ROLE_FOLDERS, overrides };
  try {
    readRoleDocument(text, registration, expected);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const places = { GLOBAL: 'global', SVRNODE: 'server', SLVNODE: 'slave', K2HDKC: 'k2hdkc' } as const;
const sections = Object.keys(places) as SectionName[];
const files = sections.flatMap((section) =>
  KEYS[section]
    .filter(({ name, kind }) => kind.is === 'path' && name !== 'K2HFILE')
    .map(({ name }) => [section, name] as const),
);

describe('a role that names a file of the VM', () => {
  it('can do so with more than twenty keys', () => {
    expect(files.length).toBeGreaterThan(15);
    const names = files.map(([, key]) => key);
    for (const key of ['ATTRPLUGIN', 'DTORCTP', 'PASSFILE', 'SVRNODEINI', 'REPLCLUSTERINI']) {
      expect(names).toContain(key);
    }
  });

  it.each(files)('is refused: [%s] %s', (section, key) => {
    const said = refusal(roleWith(section, `${key} = /etc/hostname`));
    expect(said).toContain(
      `[${section}] ${key} = "/etc/hostname" is not for the role to say: set ini.${places[section]}.${key} in agent.yaml`,
    );
    expect(said).not.toContain('\n');
  });

  it.each(files.filter(([section]) => section === 'K2HDKC'))(
    'is taken when agent.yaml names another: [%s] %s',
    (section, key) => {
      const given = {
        global: {},
        server: {},
        slave: {},
        k2hdkc: {},
        [places[section]]: { [key]: '/x' },
      };
      const fixed = key === 'SVRNODEINI' ? NO_OVERRIDES : readIniOverrides(given, 'x', 'server');
      const said = refusal(roleWith(section, `${key} = /etc/hostname`), fixed);
      if (key === 'SVRNODEINI') expect(said).toContain('SVRNODEINI');
      else expect(said).toBeNull();
    },
  );

  it('is taken when [GLOBAL] of agent.yaml names what the nodes of the role do', () => {
    const overrides = { ...NO_OVERRIDES, global: new Map([['CAPATH', '/etc/ca']]) };
    const model = roleModel('threeServers', (text) =>
      text.replaceAll('[SVRNODE]', '[SVRNODE]\nCAPATH = /etc/shadow'),
    );
    expect(rolePathProblems(model, overrides, ROLE_FOLDERS)).toEqual([]);
    expect(rolePathProblems(model, NO_OVERRIDES, ROLE_FOLDERS)).toHaveLength(1);
  });

  it('is told in one line of all its keys, however many nodes have them', () => {
    const text = roleText('threeServers').replaceAll(
      '[SVRNODE]',
      '[SVRNODE]\nCAPATH = /a\nSERVER_CERT = /b',
    );
    const said = refusal(text) ?? '';
    expect(said.match(/is not for the role/g)).toHaveLength(2);
  });
});

describe('K2HFILE of a role', () => {
  const of = (file: string, type = 'file'): string | null =>
    refusal(set('K2HTYPE', type)(set('K2HFILE', file)(roleText('threeServers'))));

  it.each([
    '/var/lib/antpickax/k2hdkc/k2hdkc.k2h',
    '/var/lib/antpickax/k2hdkc.k2h',
    '/data/a/b/c/d.k2h',
    '/data/..k2h',
  ])('%s is taken', (file) => {
    expect(of(file)).toBeNull();
  });

  it.each([
    ['/etc/shadow', 'is not in /var/lib/antpickax or /data'],
    ['/var/lib/k2hdkc-guest-agent/desired.json', 'is not in'],
    ['/var/lib/antpickax-other/x', 'is not in'],
    ['/database/x', 'is not in'],
    ['/var/lib/antpickax', 'is not in'],
    ['/data', 'is not in'],
    ['/', '/ at its end'],
    ['/proc/self/mem', 'is not in'],
    ['../../etc/x', 'must be an absolute path'],
    ['k2hdkc.k2h', 'must be an absolute path'],
    ['~/x', 'must be an absolute path'],
    ['/var/lib/antpickax/../../../etc/shadow', 'without . and ..'],
    ['/var/lib/antpickax/k2hdkc/..', 'without . and ..'],
    ['/data/./x', 'without . and ..'],
    ['/data//x', 'without . and ..'],
    ['//data/x', 'without . and ..'],
    ['/data/x/', '/ at its end'],
    ['/var/lib/antpickax/of-the-agent/desired.json', 'files of their own'],
    ['/var/lib/antpickax/of-the-agent', 'files of their own'],
    ['/data/.k2hdkc-agent-backup/x', '.k2hdkc-agent'],
    ['/data/.k2hdkc-agent-restore', '.k2hdkc-agent'],
    ['/var/lib/antpickax/mycluster-8021.chmpx', 'has the name of a file of chmpx'],
    ['/var/lib/antpickax/mycluster-8021.k2h', 'has the name of a file of chmpx'],
    ['/var/lib/antpickax/mycluster-8021.k2h.bup.0', 'has the name of a file of chmpx'],
  ])('%s is refused: it %s', (file, why) => {
    for (const type of ['file', 'mem', 'temp']) expect(of(file, type)).toContain(why);
  });

  it('may be in an allowed folder that is inside a closed one, and nowhere else there', () => {
    const folders = { allowed: ['/srv/vm/data'], closed: ['/srv/vm'], shared: '/srv/shared' };
    const problems = (file: string): string[] =>
      rolePathProblems(roleModel('threeServers', set('K2HFILE', file)), NO_OVERRIDES, folders);
    expect(problems('/srv/vm/data/k2hdkc.k2h')).toEqual([]);
    expect(problems('/srv/vm/k2hdkc.ini')).toHaveLength(1);
    expect(problems('/srv/vm/data')).toHaveLength(1);
  });

  it('is not looked at when agent.yaml names another', () => {
    const overrides = { ...NO_OVERRIDES, k2hdkc: new Map([['K2HFILE', '/srv/x.k2h']]) };
    expect(refusal(set('K2HFILE', '/etc/shadow')(roleText('threeServers')), overrides)).toBeNull();
  });
});

describe('a folder of the data that is a link', () => {
  async function vm() {
    const directory = await temporaryDirectory();
    const at = (name: string): string => path.join(directory, name);
    await mkdir(at('shared/k2hdkc'), { recursive: true });
    await mkdir(at('etc'));
    return { at, why: (file: string) => whyOutside(at(file), [at('shared'), at('shared/k2hdkc')]) };
  }

  it('within what is allowed is followed', async () => {
    const { at, why } = await vm();
    await symlink(at('shared/k2hdkc'), at('shared/other'));
    expect(await why('shared/other/x.k2h')).toBeNull();
    expect(await why('shared/not/yet/there.k2h')).toBeNull();
  });

  it('for an allowed one that the operator has made is followed', async () => {
    const { at, why } = await vm();
    await symlink(at('shared'), at('linked'));
    expect(await whyOutside(at('linked/x.k2h'), [at('linked')])).toBeNull();
    expect(await why('linked/x.k2h')).toContain('is not in');
  });

  it.each([
    ['to another place', 'etc', 'link', 'link/x.k2h'],
    ['to another place, by ..', '../etc', 'link', 'link/x.k2h'],
    ['two folders above the file', 'etc', 'link', 'link/a/b.k2h'],
    ['at the file itself', 'etc/shadow', 'x.k2h', 'x.k2h'],
    ['to the root', '/', 'link', 'link/x.k2h'],
    ['to nothing', 'nowhere', 'link', 'link/x.k2h'],
    ['to itself', 'shared/link', 'link', 'link/x.k2h'],
  ])('%s refuses it', async (_, to, link, file) => {
    const { at, why } = await vm();
    await symlink(to.startsWith('/') || to.startsWith('..') ? to : at(to), at(`shared/${link}`));
    expect(await why(`shared/${file}`)).toMatch(/is not in|leads nowhere|cannot be used/);
  });

  it('in the place of the data directory within the shared one refuses it', async () => {
    const directory = await temporaryDirectory();
    const at = (name: string): string => path.join(directory, name);
    await mkdir(at('shared'));
    await mkdir(at('etc'));
    await symlink(at('etc'), at('shared/k2hdkc'));
    const why = await whyOutside(at('shared/k2hdkc/x'), [at('shared/k2hdkc'), at('shared')]);
    expect(why).toContain(`(which is ${at('etc/x')})`);
  });
});
