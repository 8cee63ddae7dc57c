import { expect, it } from 'vitest';
import { readStatusDocument } from '../../src/cli/status-schema.ts';
import { statusDocument } from '../../src/node/status-document.ts';
import { STATUS_PARTS } from '../node/status-parts.ts';

const DOCUMENT = statusDocument(STATUS_PARTS);
const read = (document: unknown) => readStatusDocument(JSON.stringify(document)).document;

it('reads what an agent writes, and leaves out what a newer one has added', () => {
  expect(read(DOCUMENT)).toEqual(DOCUMENT);
  expect(read({ ...DOCUMENT, later: 1 })).toEqual(DOCUMENT);
});

it.each([
  ['a list', [], 'not what this version writes'],
  ['another version', { ...DOCUMENT, version: 2 }, '(version: '],
  [
    'no time',
    { ...DOCUMENT, agent: { ...DOCUMENT.agent, since: 'x' } },
    '(agent.since: is no time',
  ],
  ['a strange state', { ...DOCUMENT, node: { state: 'x' } }, '(node.state: '],
  ['a number for the ring', { ...DOCUMENT, ring: 7 }, '(ring: '],
  ['a concern that is none', { ...DOCUMENT, concerns: [null] }, '(concerns.0: '],
])('refuses %s, by field', (_, document, why) => {
  expect(() => read(document)).toThrow(why);
});

it('reads what an agent wrote that knew of no networks', () => {
  const before: Record<string, unknown> = { ...DOCUMENT };
  delete before['network'];
  expect(read(before)).toEqual({ ...DOCUMENT, network: null });
});

it('refuses what is no JSON', () => {
  expect(() => readStatusDocument('{"version": 1')).toThrow('not what this version writes (');
});
