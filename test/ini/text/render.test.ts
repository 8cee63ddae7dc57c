import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readIniText } from '../../../src/ini/text/ini-text.ts';
import { parseRole } from '../../../src/ini/text/parse-role.ts';
import { renderIni } from '../../../src/ini/text/render.ts';
import { models } from '../models.ts';
import { CUK1, roleModel } from '../roles.ts';
import { forNode } from '../../../src/ini/model/model.ts';

const COMMENT = { origin: 'yrn:yahoo:::tenant0:resource:mycluster/server' };

describe('renderIni', () => {
  it('writes a ring as a person would', () => {
    const text = renderIni(forNode(roleModel('twoServers'), CUK1), COMMENT);
    expect(text.split('\n').slice(0, 8)).toEqual([
      '# Made by k2hdkc-guest-agent from yrn:yahoo:::tenant0:resource:mycluster/server.',
      '# Changes in this file are lost: it is written again when the role changes.',
      '',
      '[GLOBAL]',
      'FILEVERSION = 1',
      'DATE = Thu, 28 May 2020 04:56:20  0000',
      'GROUP = mycluster',
      'MODE = SERVER',
    ]);
    expect(text).toContain(`SELFCUK = ${CUK1}\n`);
    expect(text).toContain(
      '\n\n[SVRNODE]\nNAME = node2.novalocal\nCUK = 00000002-aaaa-4bbb-8ccc-000000000002\n' +
        'PORT = 8020\nCTLPORT = 8021\nCUSTOM_ID_SEED = node2.novalocal\nSSL = no\n\n[SLVNODE]\n',
    );
    expect(text.endsWith('K2HPAGESIZE = 512\nMAXTHREAD = 20\n')).toBe(true);
    expect(text).not.toMatch(/["'\\;]|\n\n\n/);
  });

  it('gives equal bytes for equal nodes, whatever order they come in', () => {
    const model = roleModel();
    const turned = { ...model, servers: model.servers.toReversed() };
    expect(renderIni(turned, COMMENT)).toBe(renderIni(model, COMMENT));
  });

  it('names in a comment what the operator has set', () => {
    const [, , line] = renderIni(roleModel(), {
      ...COMMENT,
      overridden: 'global.REPLICA, k2hdkc.MAXTHREAD',
    }).split('\n');
    expect(line).toBe('# Set by ini: in agent.yaml: global.REPLICA, k2hdkc.MAXTHREAD.');
  });

  it('keeps its comment on one line, whatever it is told', () => {
    const text = renderIni(roleModel(), { origin: 'a\n[EVIL]\nK={{x}}é' });
    expect(text.split('\n')[0]).toBe('# Made by k2hdkc-guest-agent from a?[EVIL]?K=??x???.');
  });

  it.each([
    ['a quote', 'a"b'],
    ['a second line', 'a\nCUK = evil'],
    ['a semicolon, which the package ini escapes', 'a;b'],
    ['an equals sign, which the package ini quotes', 'a=b'],
  ])('throws rather than writing a model with %s in it', (_what, file) => {
    const k2hdkc = new Map([['K2HFILE', file]]);
    expect(() => renderIni({ ...roleModel(), k2hdkc }, COMMENT)).toThrow(
      /the ini for mycluster cannot be written/,
    );
  });

  it('writes what reads back as the same model', () => {
    fc.assert(
      fc.property(models, (model) => {
        const text = renderIni(model, { origin: 'a test' });
        expect(parseRole(text)).toEqual({ ok: true, model });
        expect(readIniText(text).faults).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
