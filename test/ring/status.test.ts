import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isServing, parseNodeStatus, parseRingStatus, statusWords } from '../../src/ring/status.ts';

/** Output of the real chmpxstatus 1.0.113. */
function printed(name: string): string {
  return readFileSync(
    new URL(`../fixtures/chmpx/chmpxstatus-${name}.txt`, import.meta.url),
    'utf8',
  );
}

const SERVING = {
  ring: 'SERVICE IN',
  live: 'UP',
  operation: 'n/a',
  merge: 'Nothing',
  suspended: false,
  safe: true,
};

describe('parseRingStatus', () => {
  it('reads a ring of one', () => {
    const self = { name: '192.0.2.2', cuk: 'cuk-srv-1', seed: 'seed-1', controlPort: 18021 };
    expect(parseRingStatus(printed('all'))).toEqual({
      chmpxPid: 21641,
      group: 'labcluster',
      operating: false,
      self: { ...self, ...SERVING },
      servers: [{ ...self, ...SERVING }],
      slaves: [],
    });
  });

  it('tells a server that joins from its row among the slaves', () => {
    const status = parseRingStatus(printed('all-joining'));
    expect(status.operating).toBe(true);
    expect(status.self.cuk).toBe('cuk-srv-1');
    expect(status.servers.map((node) => [node.cuk, statusWords(node)])).toEqual([
      ['cuk-srv-1', '[SERVICE IN][UP][n/a][Nothing][NoSuspend]'],
      ['cuk-srv-2', '[SERVICE IN][UP][ADD][Doing][NoSuspend]'],
    ]);
    expect(status.slaves.map((node) => [node.cuk, statusWords(node)])).toEqual([
      ['cuk-srv-2', '[SLAVE][UP][n/a][Nothing][NoSuspend]'],
    ]);
  });

  it('reads the view of a slave', () => {
    const status = parseRingStatus(printed('all-on-slave'));
    expect(status.self).toMatchObject({ cuk: 'cuk-slv-1', ring: 'SLAVE', controlPort: 18521 });
    expect(status.servers.map(({ controlPort }) => controlPort)).toEqual([18021, 18031, 18041]);
    expect(status.servers.every(({ live }) => live === 'DOWN')).toBe(true);
  });

  it('throws on a text that was cut off or is of something else', () => {
    const text = printed('all');
    const cut = text.slice(0, text.indexOf('  custom id seed'));
    expect(() => parseRingStatus(cut)).toThrow(
      'chmpxstatus printed a text without "custom id seed"',
    );
    expect(() => parseRingStatus('')).toThrow('without "self chmpx"');
    expect(() => parseRingStatus(text.replace('[SERVICE IN]', '[Unknown RING]'))).toThrow(
      'status "SAFE -> [Unknown RING][UP][n/a][Nothing][NoSuspend]"',
    );
  });
});

describe('parseNodeStatus', () => {
  it.each([
    '[SERVICE IN][UP][n/a][Nothing][NoSuspend]',
    '[SERVICE IN][UP][ADD][Pending][NoSuspend]',
    '[SERVICE IN][UP][DELETE][Done][Suspend]',
    '[SERVICE OUT][DOWN][n/a][Nothing][NoSuspend]',
    '[SLAVE][UP][n/a][Nothing][NoSuspend]',
  ])('reads %s, and writes it again', (words) => {
    const status = parseNodeStatus(`SAFE -> ${words}`);
    expect(statusWords(status)).toBe(words);
    expect(status.safe).toBe(true);
    expect(parseNodeStatus(`NOT SAFE -> ${words}`)).toEqual({ ...status, safe: false });
  });
});

describe('isServing', () => {
  it.each([
    '[SERVICE OUT][UP][n/a][Nothing][NoSuspend]',
    '[SERVICE IN][DOWN][n/a][Nothing][NoSuspend]',
    '[SERVICE IN][UP][ADD][Nothing][NoSuspend]',
    '[SERVICE IN][UP][n/a][Doing][NoSuspend]',
    '[SERVICE IN][UP][n/a][Nothing][Suspend]',
  ])('is false for %s', (words) => {
    expect(isServing(parseNodeStatus(`SAFE -> ${words}`))).toBe(false);
  });
});
