import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseAllStatus } from '../../src/ring/all-status.ts';
import { statusWords } from '../../src/ring/status.ts';

/** What the control port of the real chmpx 1.0.113 answered. */
const ANSWER = readFileSync(
  new URL('../fixtures/chmpx/ctlport-allstatus.txt', import.meta.url),
  'utf8',
);
const row = (name: string, words: string): string =>
  ANSWER.slice(ANSWER.indexOf('No.1'))
    .replace('192.0.2.2', name)
    .replace('[SERVICE IN][UP][n/a][Nothing][NoSuspend]', words);

it('reads the servers of a real answer', () => {
  const [server, ...more] = parseAllStatus(ANSWER);
  expect(more).toEqual([]);
  expect(server).toMatchObject({
    name: '192.0.2.2',
    cuk: 'cuk-srv-1',
    seed: 'seed-1',
    controlPort: 18021,
    ring: 'SERVICE IN',
    live: 'UP',
    suspended: false,
  });
});

it('reads several servers, with fields that are empty', () => {
  const second = row('node2', '[SERVICE OUT][DOWN][n/a][Nothing][NoSuspend]').replace('seed-1', '');
  const servers = parseAllStatus(`${ANSWER}${second.replace('No.1', 'No.2')}`);
  expect(servers.map((node) => [node.name, node.seed, statusWords(node)])).toEqual([
    ['192.0.2.2', 'seed-1', '[SERVICE IN][UP][n/a][Nothing][NoSuspend]'],
    ['node2', '', '[SERVICE OUT][DOWN][n/a][Nothing][NoSuspend]'],
  ]);
});

it.each([
  ['Unknown command(ALLSTATUS)', 'no RING Name'],
  ['', 'no RING Name'],
  ['RING Name = x\nNo.1\n  Server Name = a\n', 'a server without Server Status'],
  [ANSWER.replace('[UP]', '[SIDEWAYS]'), 'status'],
])('throws on anything else', (text, why) => {
  expect(() => parseAllStatus(text)).toThrow(why);
});
