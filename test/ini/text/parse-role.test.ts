import { describe, expect, it } from 'vitest';
import { effective } from '../../../src/ini/model/model.ts';
import { parseRole } from '../../../src/ini/text/parse-role.ts';
import { CUK3, roleModel, roleText, withLine } from '../roles.ts';

/** The problems of a text that must not be readable. */
function problemsOf(text: string): string[] {
  const reading = parseRole(text);
  if (reading.ok) throw new Error('it was read');
  expect(reading.problems.every(({ kind }) => kind === 'not-sane')).toBe(true);
  return reading.problems.map((problem) => problem.text);
}

describe('parseRole with what a real K2HR3 answers', () => {
  it('reads a ring of three servers', () => {
    const model = roleModel();
    expect(model.global).toMatchObject({
      group: 'mycluster',
      mode: 'SERVER',
      idType: 'CUSTOM',
      selfControlPort: 8021,
      selfCuk: '__SELF_INSTANCE_ID__',
    });
    expect(model.global.settings.get('DATE')).toBe('Thu, 28 May 2020 04:56:20  0000');
    expect(model.global.settings.get('AUTOMERGE')).toBe(true);
    expect(model.global.settings.get('MQACK')).toBe(false);
    expect(model.servers.map(({ name }) => name)).toEqual([
      'node1.novalocal',
      'node2.novalocal',
      'node3.novalocal',
    ]);
    expect(model.servers[2]).toEqual({
      name: 'node3.novalocal',
      cuk: CUK3,
      port: 8020,
      controlPort: 8021,
      seed: 'node3.novalocal',
      settings: new Map<string, unknown>([
        ['SSL', false],
        ['ENDPOINTS', '203.0.113.3:8020'],
        ['CTLENDPOINTS', '203.0.113.3:8021'],
        ['REVERSE_PEERS', '203.0.113.3'],
        ['FORWARD_PEERS', '203.0.113.33'],
      ]),
    });
    expect(model.slaves).toEqual([
      {
        name: '127.0.0.1',
        cuk: 'dummy_cuk',
        controlPort: 8031,
        settings: new Map([['SSL', false]]),
      },
    ]);
    expect(model.k2hdkc?.get('K2HFILE')).toBe('/var/lib/antpickax/k2hdkc/k2hdkc.k2h');
    expect(model.k2hdkc?.get('K2HPAGESIZE')).toBe(512);
  });

  it('reads an empty ring, a slave, and a role with slaves', () => {
    expect(roleModel('noServers').servers).toEqual([]);
    expect(roleModel('ofSlave').k2hdkc).toBeUndefined();
    expect(roleModel('threeServersOneSlave').slaves).toMatchObject([
      { name: 'node9.novalocal', seed: 'node9.novalocal' },
    ]);
  });

  it('refuses a tag that brings a section of its own', () => {
    const problems = problemsOf(roleText('tagWithNewline')).join('\n');
    expect(problems).toMatch(/section "EVIL" is not known/);
    expect(problems).toMatch(/\[SVRNODE\] of line \d+: CUK is missing/);
  });

  it('refuses a tag with quotes, template marks or letters beyond ASCII, each on one line', () => {
    const problems = problemsOf(roleText('tagWithQuotes'));
    expect(problems.join('\n')).toMatch(/it has \{\{ or \}\}/);
    expect(problems.join('\n')).toMatch(/NAME = ".*" may only hold letters/);
    for (const problem of problems) expect(problem).not.toMatch(/\n/);
  });
});

describe('parseRole', () => {
  it('fills the ports of nodes that have none from [GLOBAL]', () => {
    const model = roleModel('twoServers', (text) =>
      text
        .replace(/(\[SVRNODE\][^[]*?)PORT +=.*\n(CTLPORT +=.*\n)/, '$1')
        .replaceAll('8020', '8120'),
    );
    expect(model.servers[0]).toMatchObject({ port: 8120, controlPort: 8021 });
  });

  it('sorts nodes by name and control port, whatever order K2HR3 has', () => {
    const node = (name: string, port: number): string =>
      `[SVRNODE]\nNAME=${name}\nCUK=${name}${port}\nCTLPORT=${port}\n`;
    const model = roleModel('noServers', (text) =>
      [text, node('b', 9), node('a', 10), node('a', 9)].join('\n'),
    );
    expect(model.servers.map(({ cuk }) => cuk)).toEqual(['a9', 'a10', 'b9']);
  });

  it('takes an optional key without a value as not given', () => {
    const model = roleModel('twoServers', (text) => withLine(text, 'REPLICA', 'REPLICA ='));
    expect(model.global.settings.has('REPLICA')).toBe(false);
    expect(effective('GLOBAL', model.global.settings, 'REPLICA')).toBe(0);
  });

  it.each([
    ['PORT', 'PORT = 40020', /\[GLOBAL\] of line 2: PORT = "40020" is not a port from 1 to 32767/],
    ['CTLPORT', 'CTLPORT = abc', /CTLPORT = "abc" is not a port/],
    ['GROUP', '', /\[GLOBAL\] of line 2: GROUP is missing/],
    ['GROUP', 'GROUP =', /GROUP = "" may not hold/],
    ['CHMPXIDTYPE', '', /CHMPXIDTYPE is missing/],
    ['MODE', 'MODE = FOO', /MODE = "FOO" is not one of SERVER, SLAVE/],
    ['MQACK', 'MQACK = maybe', /MQACK = "maybe" is neither/],
    ['REPLICA', 'REPLICAS = 1', /key "REPLICAS" is not known there/],
    ['REPLICA', 'REPLICA = 1\nREPLICA = 2', /"REPLICA" is given twice/],
    ['NAME', 'NAME = __TROVE_X__', /NAME = "__TROVE_X__" holds a placeholder/],
    ['K2HFILE', 'K2HFILE = "/data/x.k2h"', /\[K2HDKC\] .*K2HFILE = .* may not hold quotes/],
    ['K2HTYPE', 'PASSPHRASES = secret', /key "PASSPHRASES" is not known/],
    ['DATE', 'DATE = "open', /line 4: .* quote or a backslash left open/],
    ['DATE', 'DATE = a\u0007b', /DATE = "a\\u0007b" may not hold/],
  ])('refuses %s changed to %j', (key, line, problem) => {
    expect(problemsOf(withLine(roleText('twoServers'), key, line)).join('\n')).toMatch(problem);
  });

  it('refuses a second [GLOBAL], a second [K2HDKC], and none at all', () => {
    const text = roleText('twoServers');
    expect(problemsOf(text + text.slice(0, text.indexOf('[SVRNODE]'))).join()).toMatch(
      /there is a second \[GLOBAL\]/,
    );
    expect(problemsOf(`${text}[K2HDKC]\nATTRPLUGIN = /tmp/evil.so\n`).join()).toMatch(
      /there is a second \[K2HDKC\]/,
    );
    expect(problemsOf('')).toEqual(['there is no [GLOBAL]']);
    expect(problemsOf('<html>proxy error</html>').join()).toMatch(/before the first section/);
  });

  it('refuses a node without any port', () => {
    const text = roleText('noServers').replace(/^(PORT|CTLPORT) .*$/gm, '');
    const problems = problemsOf(`${text}[SVRNODE]\nNAME=a\nCUK=b\n`).join('\n');
    expect(problems).toMatch(/no CTLPORT here or in \[GLOBAL\]/);
    expect(problems).toMatch(/no PORT here or in \[GLOBAL\]/);
  });

  it('names the first twenty problems of a hopeless document', () => {
    const problems = problemsOf('[EVIL]\n'.repeat(1000));
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe('and 981 more problems');
  });
});
