import { unlinkSync, utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import { withServer } from './ini.ts';
import { IN, Lab } from './lab.ts';

/** How many servers chmpxstatus lists. */
async function servers(lab: Lab): Promise<number> {
  const { text } = await lab.run('chmpxstatus', ['-conf', lab.file]);
  return Number(/^server chmpxs \[ (\d+) \]/m.exec(text)?.[1]);
}

/** Waits for a reload. */
function reloaded(lab: Lab, count: number): Promise<true> {
  return until(`${count} servers`, async () => (await servers(lab)) === count);
}

describe('reload of the ini (docs/contracts/ini.md, 1)', () => {
  it('a file renamed over the ini is read at once, again and again', async () => {
    const lab = await Lab.open();
    await lab.serve();
    for (let time = 0; time < 2; time += 1) {
      lab.publish(withServer(lab.ini, lab.freePort));
      await reloaded(lab, 2);
      lab.publish(lab.ini);
      await reloaded(lab, 1);
    }
    expect(await lab.status()).toBe(IN);
  });

  it('a new modification time alone changes nothing', async () => {
    const lab = await Lab.open();
    const { chmpx } = await lab.serve();
    utimesSync(lab.file, new Date(), new Date());
    await sleep(systemClock, 500);
    expect(chmpx.alive).toBe(true);
    expect(await lab.status()).toBe(IN);
  });

  const fatal: [what: string, from: RegExp, to: string][] = [
    ['an empty ini', /[^]*/, ''],
    ['an ini without GROUP', /^GROUP.*$/m, ''],
    ['an ini without this node', /NAME = 127.0.0.1/, 'NAME = nosuch.invalid'],
    ['half an ini', /MQACK = no[^]*/, 'MQACK = n'],
  ];
  it.each(fatal)(
    '%s ends chmpx at once, with 0 or SIGSEGV, and k2hdkc lives on',
    async (_what, from, to) => {
      const lab = await Lab.open();
      const { chmpx, k2hdkc } = await lab.serve();
      lab.publish(lab.ini.replace(from, to));
      const { code, signal } = await chmpx.end();
      expect([0, 'SIGSEGV']).toContain(signal ?? code);
      expect(chmpx.text).toContain('thus this is fatal error');
      await sleep(systemClock, 500);
      expect(k2hdkc.alive).toBe(true);
    },
  );

  it('an ini that is back within 0.2 s is read', async () => {
    // Of a machine that is busy only a time in which we were quick enough counts.
    await until('it was away for 0.4 s at most', async () => {
      const lab = await Lab.open();
      await lab.startChmpx();
      const start = systemClock.monotonic();
      unlinkSync(lab.file);
      await sleep(systemClock, 200);
      lab.publish(withServer(lab.ini, lab.freePort));
      if (systemClock.monotonic() - start > 400) return false;
      return reloaded(lab, 2);
    });
  });

  it('an ini that was missing for more than half a second is never watched again', async () => {
    const lab = await Lab.open();
    const chmpx = await lab.startChmpx();
    unlinkSync(lab.file);
    await until('it gives up', () => chmpx.text.includes('no more watching it'));
    lab.publish(withServer(lab.ini, lab.freePort));
    await sleep(systemClock, 1000);
    expect(await servers(lab)).toBe(1);
    lab.publish('');
    await sleep(systemClock, 1000);
    expect(chmpx.alive).toBe(true);
  });

  it('another GROUP is refused, the node goes on under the old one and reads the next ini', async () => {
    const lab = await Lab.open();
    const { chmpx } = await lab.serve();
    lab.publish(lab.ini.replace(/^GROUP.*$/m, 'GROUP = another'));
    await until('refusal', () => chmpx.text.includes('Failed to reinitialize internal data'));
    lab.publish(withServer(lab.ini, lab.freePort));
    await reloaded(lab, 2);
    expect(await lab.status()).toBe(IN);
  });
});
