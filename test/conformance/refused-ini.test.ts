import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CUK, SEED } from './ini.ts';
import { Lab, OUT_ALONE } from './lab.ts';
import { queueLimits } from './queue-limits.ts';

/** What is changed in the good ini, and what `-d err` then says. */
const refused: [what: string, from: RegExp, to: string, says: string][] = [
  ['an empty file', /[^]*/, '', 'does not have "GROUP"'],
  ['no GROUP', /^GROUP.*$/m, '', 'does not have "GROUP"'],
  ['no FILEVERSION', /^FILEVERSION.*$/m, '', 'does not have "FILEVERSION"'],
  ['no DELIVERMODE', /^DELIVERMODE.*$/m, '', 'does not have "DELIVERMODE"'],
  ['an unknown MODE', /^MODE.*$/m, 'MODE = FOO', 'value FOO does not defined'],
  ['an unknown CHMPXIDTYPE', /^CHMPXIDTYPE.*$/m, 'CHMPXIDTYPE = ZZZ', 'value ZZZ does not defined'],
  ['MQACK that is no switch', /^MQACK.*$/m, 'MQACK = maybe', 'wrong "MQACK" value(maybe)'],
  ['a negative SOCKTHREADCNT', /^SOCKTHREADCNT.*$/m, 'SOCKTHREADCNT = -1', 'value(-1)'],
  ['no SVRNODE', /\[SVRNODE\][^[]*/, '', 'does not have [SVRNODE]'],
  ['no SLVNODE', /\[SLVNODE\][^[]*/, '', 'does not have [SLVNODE]'],
  ['no SELFCTLPORT', /^SELFCTLPORT.*$/m, '', 'self control port(-1) not found'],
  ['no SELFCUK', /^SELFCUK.*$/m, '', 'not found in server list'],
  ['SELFCUK of nobody', /^SELFCUK.*$/m, 'SELFCUK = other', 'not found in server list'],
  [
    'NAME of another machine',
    /NAME = 127.0.0.1/,
    'NAME = nosuch.invalid',
    'not found in server list',
  ],
  ['NAME 127.0.0.2', /NAME = 127.0.0.1/, 'NAME = 127.0.0.2', 'not found in server list'],
  ['MODE of a slave', /^MODE.*$/m, 'MODE = SLAVE', 'found in server list'],
  ['no CUSTOM_ID_SEED', /^CUSTOM_ID_SEED.*$/m, '', 'Failed to load configuration'],
  ['a GROUP of 300 letters', /^GROUP.*$/m, `GROUP = ${'g'.repeat(300)}`, 'are wrong'],
  ['a byte order mark', /^/, '\uFEFF', 'does not have "GROUP"'],
  ['keys in small letters', /^GROUP/m, 'group', 'does not have "GROUP"'],
  ['a section in small letters', /\[GLOBAL\]/, '[global]', 'does not have "GROUP"'],
  ['half a word at its end', /MQACK = no[^]*/, 'MQACK = n', 'wrong "MQACK" value(n)'],
];

describe('an ini that chmpx refuses at its start (docs/contracts/ini.md, 4)', () => {
  it.each(refused)('chmpx ends with 1 on %s', async (_what, from, to, says) => {
    const lab = await Lab.open();
    lab.publish(lab.ini.replace(from, to));
    const { code, text } = await lab.run('chmpx', ['-conf', lab.file, '-d', 'err']);
    expect(code).toBe(1);
    expect(text).toContain('ERROR: Could not initialize process.');
    expect(text).toContain(says);
  });

  it('more messages than msg_max are refused, of 128 at most, however many there are to be', async () => {
    for (const { limit, before } of queueLimits(10, 127, 128)) {
      const lab = await Lab.open();
      lab.publish(lab.ini.replace(/^MAXQPERSERVERMQ.*$/m, 'MAXQPERSERVERMQ = 20000'));
      const chmpx = lab.start('chmpx', undefined, before);
      if (limit >= 128) {
        await lab.reaches(OUT_ALONE);
        continue;
      }
      expect((await chmpx.end()).code).toBe(1);
      expect(chmpx.text).toContain('ERROR: Could not initialize process.');
      expect(chmpx.text).toContain('by errno=EINVAL');
      expect(chmpx.text).toContain('require mq_maxmsg is 128');
    }
  });

  it('the reason is shown with -d err only', async () => {
    const lab = await Lab.open();
    lab.publish('');
    const { text } = await lab.run('chmpx', ['-conf', lab.file]);
    expect(text).toContain('ERROR: Could not initialize process.');
    expect(text).not.toContain('GROUP');
  });

  it('a missing file and the ending .conf are refused', async () => {
    const lab = await Lab.open();
    const conf = path.join(lab.directory, 'node.conf');
    const missing = await lab.run('chmpx', ['-conf', conf, '-d', 'err']);
    expect(missing.code).toBe(1);
    expect(missing.text).toContain('is not existed');
    writeFileSync(conf, lab.ini);
    const ending = await lab.run('chmpx', ['-conf', conf, '-d', 'err']);
    expect(ending.code).toBe(1);
    expect(ending.text).toContain('extension is unknown');
  });

  it('a server whose name and control port come again is one server, with the later keys', async () => {
    const lab = await Lab.open();
    const [server = ''] = /\[SVRNODE\][^[]*/.exec(lab.ini) ?? [];
    lab.publish(lab.ini.replace('[SLVNODE]', `${server.replace(CUK, 'later')}[SLVNODE]`));
    const { code, text } = await lab.run('chmpx', ['-conf', lab.file, '-d', 'err']);
    expect(code).toBe(1);
    expect(text).toContain('not found in server list');
  });
});

/** What is changed in the good ini, all of it accepted. */
const accepted: [what: string, from: RegExp, to: string][] = [
  ['no MODE', /^MODE.*\n/m, ''],
  ['no DATE', /^DATE.*\n/m, ''],
  ['no global PORT', /^PORT.*\n/m, ''],
  ['a global PORT of 99999 that the server overrides', /^PORT.*$/m, 'PORT = 99999'],
  ['a global CTLPORT that is no number', /^CTLPORT.*$/m, 'CTLPORT = abc'],
  ['an unknown key', /^REPLICA/m, 'FOO_BAR = 1\nREPLICA'],
  ['a value in double quotes', /^SELFCUK.*$/m, `SELFCUK = "${CUK}"`],
  ['a comment behind a value', /^SELFCUK.*$/m, `SELFCUK = ${CUK} # this one`],
  ['CRLF at the ends of lines', /\n/g, '\r\n'],
  ['no spaces around =', / = /g, '='],
  ['a name of localhost', /NAME = 127.0.0.1/, 'NAME = localhost'],
  ['no [K2HDKC]', /\[K2HDKC\][^]*/, ''],
  ['MAXCHMPX of one', /^MAXCHMPX.*$/m, 'MAXCHMPX = 1'],
  ['CHMPXIDTYPE CUK', /^CHMPXIDTYPE.*$/m, 'CHMPXIDTYPE = CUK'],
  ['a seed that is in quotes', new RegExp(`= ${SEED}`), `= '${SEED}'`],
];

describe('an ini that chmpx accepts (docs/contracts/ini.md, 5)', () => {
  it.each(accepted)('chmpx starts with %s', async (_what, from, to) => {
    const lab = await Lab.open();
    lab.publish(lab.ini.replace(from, to));
    await lab.startChmpx();
    expect(await lab.status()).toBe(OUT_ALONE);
  });
});
