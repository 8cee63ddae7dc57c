import { existsSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../helpers/until.ts';
import { IN, Lab, NONE, OUT_ALONE } from './lab.ts';

describe('start order (docs/contracts/chmpx.md, 7.1)', () => {
  it('chmpx alone is up, out of service and suspended, and k2hdkc brings it into service', async () => {
    const lab = await Lab.open();
    expect(await lab.status()).toBe(NONE);
    await lab.startChmpx();
    expect(await lab.status()).toBe(OUT_ALONE);
    const k2hdkc = lab.start('k2hdkc');
    await lab.reaches(IN);
    expect(k2hdkc.alive).toBe(true);
    expect(lab.leftovers()).toEqual(['.chmpx', '.k2h']);
  });

  it('chmpx says on standard output what it is and where it listens', async () => {
    const lab = await Lab.open();
    const chmpx = await lab.startChmpx();
    await until('banner', () => chmpx.text.includes('STATUS'));
    expect(chmpx.text).toMatch(new RegExp(`^CONTROL PORT += ${lab.ctlport}$`, 'm'));
    expect(chmpx.text).toContain(`= SAFE -> ${OUT_ALONE}`);
  });

  it('k2hdkc without chmpx ends with 1, after it has made the k2h file', async () => {
    const lab = await Lab.open();
    const { code, text } = await lab.run('k2hdkc', ['-conf', lab.file]);
    expect(code).toBe(1);
    expect(text).toContain('ERROR: Failed to initialize control main object.');
    expect(statSync(lab.k2hFile).size).toBeGreaterThan(100_000);
  });

  it('k2hdkc is silent while it is well', async () => {
    const lab = await Lab.open();
    const { k2hdkc } = await lab.serve();
    expect(k2hdkc.text).toBe('');
  });

  it('k2hdkc refuses a chmpx with MQACK on, and MQACK is on when the ini does not say', async () => {
    for (const line of ['MQACK = yes\n', '']) {
      const lab = await Lab.open();
      lab.publish(lab.ini.replace('MQACK = no\n', line));
      await lab.startChmpx();
      const { code, text } = await lab.run('k2hdkc', ['-conf', lab.file, '-d', 'err']);
      expect(code).toBe(1);
      expect(text).toContain('MQ Ack mode must be OFF');
    }
  });

  it('k2hdkc refuses a missing [K2HDKC] and a k2h file in a missing directory', async () => {
    const lab = await Lab.open();
    await lab.startChmpx();
    const other = path.join(lab.directory, 'other.ini');
    const [beforeK2hdkc = ''] = lab.ini.split('[K2HDKC]');
    const nowhere = lab.ini.replace(lab.k2hFile, path.join(lab.directory, 'missing/node.k2h'));
    for (const text of [beforeK2hdkc, nowhere]) {
      writeFileSync(other, text);
      expect((await lab.run('k2hdkc', ['-conf', other])).code).toBe(1);
    }
    expect(existsSync(lab.k2hFile)).toBe(false);
  });

  it('with AUTOMERGE off a node waits for SERVICEIN, MERGE and COMPMERGE', async () => {
    const lab = await Lab.open();
    lab.publish(lab.ini.replace('AUTOMERGE = on', 'AUTOMERGE = off'));
    await lab.startChmpx();
    lab.start('k2hdkc');
    await lab.reaches('[SERVICE OUT][UP][n/a][Nothing][NoSuspend]');
    expect(await lab.ask('SERVICEIN')).toMatch(/^SUCCEED/);
    await lab.reaches('[SERVICE IN][UP][ADD][Pending][NoSuspend]');
    expect(await lab.ask('MERGE')).toMatch(/^SUCCEED/);
    await lab.reaches('[SERVICE IN][UP][ADD][Done][NoSuspend]');
    expect(await lab.ask('COMPMERGE')).toMatch(/^SUCCEED/);
    await lab.reaches(IN);
  });
});

describe('ports (docs/contracts/chmpx.md, 5.2; docs/contracts/ini.md, 3.5)', () => {
  it('a port above 32767 is a negative number, and chmpx does not start', async () => {
    const lab = await Lab.open();
    const high = lab.ini.replaceAll(String(lab.port), '40020');
    lab.publish(high);
    const { code, text } = await lab.run('chmpx', ['-conf', lab.file, '-d', 'err']);
    expect(code).toBe(1);
    expect(text).toContain('Could not listen port(-25516)');
  });

  it('a control port that another program has keeps chmpx from starting', async () => {
    const lab = await Lab.open();
    const other = net.createServer();
    await new Promise<void>((resolve) => other.listen(lab.ctlport, resolve));
    const { code, text } = await lab.run('chmpx', ['-conf', lab.file, '-d', 'err']);
    other.close();
    expect(code).toBe(1);
    expect(text).toContain(`Could not listen ctlport(${lab.ctlport})`);
  });

  it('a second chmpx with the same ini starts, takes the shared memory away and stays', async () => {
    const lab = await Lab.open();
    const { chmpx } = await lab.serve();
    const second = lab.start('chmpx');
    await lab.reaches(OUT_ALONE);
    expect(lab.leftovers()).toEqual(['.chmpx', '.chmpx.bup', '.k2h']);
    expect(await lab.ask('VERSION')).toMatch(/^Version/);
    expect([chmpx.alive, second.alive]).toEqual([true, true]);
  });
});
