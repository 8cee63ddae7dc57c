import { expect, it } from 'vitest';
import { isNamed } from './antpickax/hosts.ts';

const INI = { servers: [{ name: '192.0.2.11' }], slaves: ['192[.]0[.]2[.]3.', 'client'] };

it.each<[string, boolean]>([
  ['192.0.2.11', true],
  ['::ffff:192.0.2.11', true],
  ['192.0.2.12', false],
  ['192.0.2.31', true],
  ['192.0.2.311', false],
])('the control port of a stand-in answers %s: %s', (address, answers) => {
  expect(isNamed(address, INI)).toBe(answers);
});
