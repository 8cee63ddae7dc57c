import { describe, expect, it } from 'vitest';
import { parseTarget, showable } from '../../src/http/target.ts';

describe('parseTarget', () => {
  it.each([
    ['http://10.0.0.5:18080/v1/x', false, '10.0.0.5', 18080, '/v1/x'],
    ['https://k2hr3.example', true, 'k2hr3.example', 443, '/'],
    ['http://k2hr3.example?a=b', false, 'k2hr3.example', 80, '/?a=b'],
    ['http://[::1]:8080/', false, '::1', 8080, '/'],
    ['http://h/trove/a%2Fb%2B%3d/../{x}', false, 'h', 80, '/trove/a%2Fb%2B%3d/../{x}'],
    [
      'http://h/role/yrn:yahoo:::t:role:c/server',
      false,
      'h',
      80,
      '/role/yrn:yahoo:::t:role:c/server',
    ],
  ])('takes %s apart and leaves its path as it is', (url, secure, host, port, path) => {
    expect(parseTarget(url)).toMatchObject({ secure, host, port, path });
  });

  it.each([
    '',
    'ftp://h/',
    'http://user:secret@h/',
    'http://h/a b',
    'http://h/a#b',
    'http://h\\@other/',
    'http://h/ü',
    '/v1/x',
    'http://h:x/',
  ])('does not take %j', (url) => {
    expect(parseTarget(url)).toBeNull();
  });
});

it.each([
  ['ftp://h/x', 'ftp://h/x'],
  ['http://user:p/@ss@h/x', '[secret]@h/x'],
])('%s is shown without a password', (url, shown) => {
  expect(showable(url)).toBe(shown);
});
