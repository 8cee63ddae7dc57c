import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/base/errors.ts';
import { parseTransportUrl } from '../../src/oslo/transport-url.ts';

/** user:password@host:port|vhost of each broker. */
function brokers(url: string): string[] {
  return parseTransportUrl(url).brokers.map(
    ({ user, password, host, port, vhost }) => `${user}:${password}@${host}:${port}|${vhost}`,
  );
}

describe('parseTransportUrl', () => {
  it.each([
    ['rabbit://u:p@h1:5673/', ['u:p@h1:5673|/']],
    ['rabbit://u:p@h1', ['u:p@h1:5672|/']],
    ['kombu://u:p@h/v', ['u:p@h:5672|v']],
    ['AMQP://u:p@h:/v/', ['u:p@h:5672|v/']],
    ['rabbit://u:p@h//', ['u:p@h:5672|/']],
    ['rabbit://u:p@h//vh', ['u:p@h:5672|/vh']],
    ['rabbit://u:p@h/%2Fb', ['u:p@h:5672|/b']],
    ['rabbit://u:p@h/a%2Fb', ['u:p@h:5672|a/b']],
    ['rabbit://u:p@[::1]:5671/v', ['u:p@::1:5671|v']],
    ['rabbit://u%40x:p%2Fq%3A%25@h/%2Fvh', ['u@x:p/q:%@h:5672|/vh']],
    ['rabbit://u:p:q@h/', ['u:p:q@h:5672|/']],
    ['rabbit://u:a@b@h/', ['u:a@b@h:5672|/']],
    ['rabbit://u%zz:p+q@h/', ['u%zz:p+q@h:5672|/']],
    ['rabbit://h', ['guest:guest@h:5672|/']],
    ['rabbit:///', ['guest:guest@localhost:5672|/']],
    ['rabbit:///v', ['guest:guest@localhost:5672|v']],
    ['rabbit://u:p@h1:5672,u2:p2@h2:5673/vh', ['u:p@h1:5672|vh', 'u2:p2@h2:5673|vh']],
  ])('reads %s', (url, expected) => {
    expect(brokers(url)).toEqual(expected);
    expect(parseTransportUrl(url).mixedCredentials).toBe(false);
  });

  it('gives a host without credentials those of guest, and says that they are mixed', () => {
    expect(brokers('rabbit://u:p@h1,h2/vh')).toEqual(['u:p@h1:5672|vh', 'guest:guest@h2:5672|vh']);
    expect(parseTransportUrl('rabbit://u:p@h1,h2/vh').mixedCredentials).toBe(true);
  });

  it('reads the options of the query', () => {
    expect(parseTransportUrl('rabbit://u:p@h/vh?ssl=1&b=x+y&a=1&a=2').options).toEqual({
      ssl: '1',
      b: 'x y',
      a: '1,2',
    });
  });

  it.each([
    ['u:secret@h', 'does not begin with rabbit://'],
    ['', 'does not begin with rabbit://'],
    ['kafka://u:secret@h/', 'the scheme "kafka"'],
    ['rabbit://u:secret/secret@h/', 'host 1 of transport_url is not host:port'],
    ['rabbit://u:secret#secret@h/', 'host 1 of transport_url is not host:port'],
    ['rabbit://u:secret,secret:x@h/', 'host 1 of transport_url is not host:port'],
    ['rabbit://u:secret@h:port/', 'host 1 of transport_url is not host:port'],
    ['rabbit://u:secret@h,u:secret@h:70000/', 'host 2 of transport_url is not host:port'],
    ['rabbit://u:secret@h:0/', 'host 1 of transport_url is not host:port'],
    ['rabbit://u:secret@[::1/', 'host 1 of transport_url is not host:port'],
    ['rabbit://u:secret@/', 'host 1 of transport_url is not host:port'],
  ])('refuses %s and never shows the password', (url, message) => {
    const parse = (): unknown => parseTransportUrl(url);
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow('secret');
  });
});
