import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import { CUK, SEED } from './ini.ts';
import { IN, Lab, OUT_ALONE } from './lab.ts';

describe('chmpxstatus (docs/contracts/chmpx.md, 1.2)', () => {
  it('without a chmpx it ends with 1 and says why in general', async () => {
    const lab = await Lab.open();
    const { code, text } = await lab.run('chmpxstatus', ['-conf', lab.file, '-self']);
    expect(code).toBe(1);
    expect(text).toContain('[ERR] Could not initialize(attach) chmpx shared memory.');
  });

  it('an ini that chmpx would refuse ends it with 1, however well chmpx is', async () => {
    const lab = await Lab.open();
    await lab.startChmpx();
    const other = path.join(lab.directory, 'other.ini');
    writeFileSync(other, lab.ini.replace(/\[SLVNODE\][^[]*/, ''));
    expect((await lab.run('chmpxstatus', ['-conf', other, '-self'])).code).toBe(1);
  });

  it('-ctlport is looked at, -ctrlport is ignored', async () => {
    const lab = await Lab.open();
    await lab.startChmpx();
    const words = ['-conf', lab.file, '-self'];
    expect((await lab.run('chmpxstatus', [...words, '-ctlport', '9'])).code).toBe(1);
    expect((await lab.run('chmpxstatus', [...words, '-ctrlport', '9'])).code).toBe(0);
  });

  it('it reads a chmpx that is stopped by SIGSTOP', async () => {
    const lab = await Lab.open();
    const { chmpx } = await lab.serve();
    chmpx.send('SIGSTOP');
    expect(await lab.status()).toBe(IN);
    chmpx.send('SIGCONT');
  });

  it('the whole report has the process, the ini, this node first, then the servers', async () => {
    const lab = await Lab.open();
    await lab.serve();
    const { text } = await lab.run('chmpxstatus', ['-conf', lab.file]);
    const order = ['chmpx process id', 'chmpx name', 'self chmpx = {', 'server chmpxs [ 1 ] = {'];
    const places = order.map((title) => text.indexOf(title));
    expect(places.toSorted((a, b) => a - b)).toEqual(places);
    expect(places[0]).toBe(0);
    expect(text).toMatch(new RegExp(`^chmpx name +=  *${lab.group}$`, 'm'));
    expect(text).toMatch(/^auto merge {35}= yes$/m);
    expect(text).toMatch(/^now operating {32}= no$/m);
    expect(text).toMatch(new RegExp(`^ {2}cuk {40}= ${CUK}$`, 'm'));
    expect(text).toMatch(
      new RegExp(`^ {2}status {37}= SAFE -> ${IN.replaceAll(/[[\]]/g, '\\$&')}$`, 'm'),
    );
    expect(text).toMatch(/^slave chmpxs \[ 0 \] = \{$/m);
  });

  it('what it calls unix time is seconds << 24', async () => {
    const lab = await Lab.open();
    const start = Math.trunc(systemClock.wall() / 1000);
    await lab.serve();
    const { text } = await lab.run('chmpxstatus', ['-conf', lab.file, '-self']);
    const update = /^ {2}last status update time {20}= (\d+) \(unix time\)$/m.exec(text)?.[1] ?? '';
    const seconds = Number(BigInt(update) >> 24n);
    expect(seconds).toBeGreaterThanOrEqual(start);
    expect(seconds).toBeLessThanOrEqual(systemClock.wall() / 1000);
  });

  it('-wait says SUCCEED or, after its time, FAILED with 1', async () => {
    const lab = await Lab.open();
    await lab.serve();
    const wait = ['-conf', lab.file, '-wait', '-live', 'up', '-nosuspend', '-timeout', '1'];
    const met = await lab.run('chmpxstatus', [...wait, '-ring', 'servicein']);
    expect([met.code, met.text]).toEqual([0, 'SUCCEED\n']);
    const missed = await lab.run('chmpxstatus', [...wait, '-ring', 'serviceout']);
    expect([missed.code, missed.text]).toEqual([1, 'FAILED\n']);
  });
});

describe('chmpxlinetool (docs/contracts/chmpx.md, 1.3)', () => {
  it('check lists the servers with their status', async () => {
    const lab = await Lab.open();
    await lab.serve();
    const words = ['-conf', lab.file, '-nocolor'];
    const { code, text } = await lab.script('chmpxlinetool', words, 'check', 'exit');
    expect(code).toBe(0);
    expect(text).toMatch(new RegExp(`^OK +\\S+:${lab.ctlport}:${CUK}:${SEED}: = \\{$`, 'm'));
    expect(text).toContain('= [SERVICE IN] [UP]    [n/a]    [Nothing][NoSuspend]');
  });

  it('it ends with 0 when every command has failed', async () => {
    const lab = await Lab.open();
    await lab.serve();
    const self = `127.0.0.1:${lab.ctlport}:${CUK}`;
    const { code, text } = await lab.script(
      'chmpxlinetool',
      ['-conf', lab.file, '-nocolor'],
      'bogus',
      `servicein ${self}:${SEED}:`,
      `serviceout ${self}::`,
      'exit',
    );
    expect(code).toBe(0);
    expect(text).toContain('bogus command is not allowed');
    expect(text).toContain('Failed to send SERVICEIN');
    expect(text).toContain('Failed to send SERVICEOUT to all node, but no node is succeed.');
  });

  it('it takes -ctlport and -ctrlport, and ends with 1 on an option it does not know', async () => {
    const lab = await Lab.open();
    await lab.startChmpx();
    const words = ['-conf', lab.file, '-nocolor'];
    const codeWith = async (...more: string[]): Promise<number | null> =>
      (await lab.script('chmpxlinetool', [...words, ...more], 'exit')).code;
    expect(await codeWith('-ctlport', String(lab.ctlport))).toBe(0);
    expect(await codeWith('-ctrlport', String(lab.ctlport))).toBe(0);
    expect(await codeWith('-ctlport', '9')).toBe(1);
    expect(await codeWith('-bogus')).toBe(1);
    expect(await lab.status()).toBe(OUT_ALONE);
  });
});

describe('k2hlinetool (docs/contracts/archive.md, 2)', () => {
  it('an archive holds what was set, and is loaded into a new file', async () => {
    const lab = await Lab.open();
    await lab.script(
      'k2hlinetool',
      ['-f', 'a.k2h'],
      'set k1 v1',
      'set k2 v2',
      'ar put x.k2har',
      'exit',
    );
    const archive = readFileSync(path.join(lab.directory, 'x.k2har'));
    expect(archive.length).toBe(2 * (104 + 3 + 3));
    const { code, text } = await lab.script(
      'k2hlinetool',
      ['-f', 'b.k2h'],
      'ar load x.k2har',
      'print k1',
      'print k3',
      'exit',
    );
    expect(code).toBe(0);
    expect(text).toContain('"k1" => "v1"');
    expect(text).toContain('"k3" => value is not found');
  });

  it('info state tells how many keys a file holds', async () => {
    const lab = await Lab.open();
    const { text } = await lab.script(
      'k2hlinetool',
      ['-f', 'a.k2h'],
      ...['set k1 v1', 'set k2 v2', 'set k1 v3'],
      'info state',
      'exit',
    );
    expect(text).toMatch(/^ {2}Assigned Element {8}= 2 \( 224 byte \)$/m);
  });

  it('it ends with 0 when every command has failed, and says so with [ERR]', async () => {
    const lab = await Lab.open();
    const { code, text } = await lab.script(
      'k2hlinetool',
      ['-f', 'a.k2h'],
      'ar put missing/x.k2har',
      'ar load missing.k2har',
      'bogus',
      'exit',
    );
    expect(code).toBe(0);
    expect(text).toContain('[ERR] Something error occurred during putting archive file');
    expect(text).toContain('[ERR] Something error occurred during loading archive file');
    expect(text).toContain('[ERR] Unknown option(bogus).');
  });

  it('ar put with a missing -f makes an empty k2h file and a wrong, empty archive', async () => {
    const lab = await Lab.open();
    const archive = path.join(lab.directory, 'x.k2har');
    writeFileSync(archive, 'a good archive');
    const { code, text } = await lab.script(
      'k2hlinetool',
      ['-f', 'a.k2h'],
      'ar put x.k2har',
      'exit',
    );
    expect([code, text.includes('[ERR]')]).toEqual([0, false]);
    expect(statSync(archive).size).toBe(0);
    expect(statSync(path.join(lab.directory, 'a.k2h')).size).toBeGreaterThan(1_000_000);
  });

  it('-ro with a missing file ends with 1 and makes nothing', async () => {
    const lab = await Lab.open();
    const { code } = await lab.script('k2hlinetool', ['-f', 'a.k2h', '-ro'], 'exit');
    expect(code).toBe(1);
    expect(existsSync(path.join(lab.directory, 'a.k2h'))).toBe(false);
  });

  it('a truncated archive is loaded up to the cut, without a word', async () => {
    const lab = await Lab.open();
    await lab.script(
      'k2hlinetool',
      ['-f', 'a.k2h'],
      'set k1 v1',
      'set k2 v2',
      'ar put x.k2har',
      'exit',
    );
    const archive = readFileSync(path.join(lab.directory, 'x.k2har'));
    writeFileSync(path.join(lab.directory, 'cut.k2har'), archive.subarray(0, -20));
    const words = ['-f', 'b.k2h'];
    const { code, text } = await lab.script(
      'k2hlinetool',
      words,
      'ar load cut.k2har',
      'list',
      'exit',
    );
    expect([code, text.includes('[ERR]')]).toEqual([0, false]);
    expect(text.match(/"k\d" => "v\d"/g)).toHaveLength(1);
  });

  it('ar put of a file that a k2hdkc has open works with -ro', async () => {
    const lab = await Lab.open();
    const { k2hdkc } = await lab.serve();
    const words = ['-f', lab.k2hFile, '-ro'];
    const { code, text } = await lab.script('k2hlinetool', words, 'ar put x.k2har', 'exit');
    expect([code, text.includes('[ERR]')]).toEqual([0, false]);
    expect(existsSync(path.join(lab.directory, 'x.k2har'))).toBe(true);
    expect(k2hdkc.alive).toBe(true);
  });

  it('a file that is no k2h file ends it with 1', async () => {
    const lab = await Lab.open();
    writeFileSync(path.join(lab.directory, 'a.k2h'), 'x'.repeat(5000));
    const { code, text } = await lab.script('k2hlinetool', ['-f', 'a.k2h'], 'exit');
    expect(code).toBe(1);
    expect(text).toContain('[ERR] Failed to attach file.');
  });

  it('a script that does not end with exit stays at the prompt', async () => {
    const lab = await Lab.open();
    writeFileSync(path.join(lab.directory, 'open'), 'echo hello\n');
    const tool = lab.start('k2hlinetool', ['-f', 'a.k2h', '-run', 'open']);
    await until('its output', () => tool.text.includes('hello'));
    await sleep(systemClock, 500);
    expect(tool.alive).toBe(true);
  });

  it('-libversion names the releases of k2hash and fullock', async () => {
    const lab = await Lab.open();
    const { code, text } = await lab.run('k2hlinetool', ['-libversion']);
    expect(code).toBe(0);
    expect(text).toMatch(/^K2HASH library Version \S+ \(commit: \w+\)/m);
    expect(text).toMatch(/^FULLOCK Version \S+ \(commit: \w+\)/m);
  });
});
