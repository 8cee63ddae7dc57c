import type { BrokerAddress } from '../amqp/broker-address.ts';
import { ConfigurationError } from '../base/errors.ts';
import { unquote } from './python-text.ts';

/** A transport_url, taken apart. */
export interface TransportUrl {
  /** At least one, in the order of the URL. */
  brokers: BrokerAddress[];
  /** Options that override those of [oslo_messaging_rabbit]. */
  options: Record<string, string>;
  /** Whether some hosts have credentials and others have not, which oslo.messaging warns of. */
  mixedCredentials: boolean;
}

const SCHEMES = ['rabbit', 'kombu', 'amqp'];
const GUEST = 'guest';
const DEFAULT_PORT = 5672;
/** What Python's urlsplit takes off; it drops tabs and line ends anywhere, so a URL may have several lines. */
const LEADING = /^[\0-\x20]+/;

/**
 * Parses `rabbit://user:password@host:port,…/vhost?option=value` (docs/contracts/trove.md, 8.3).
 * User, password and vhost are percent-decoded; every host has its own credentials, guest:guest
 * without; the empty path is the vhost `/`; no host at all is localhost.
 * Throws ConfigurationError, which never quotes the URL: any part of it can be a piece of a
 * password that was not encoded.
 */
export function parseTransportUrl(url: string): TransportUrl {
  const unwrapped = url.replace(LEADING, '').replaceAll(/[\t\r\n]/g, '');
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/is.exec(unwrapped);
  if (!match) throw new ConfigurationError('transport_url does not begin with rabbit://');
  const [, scheme = '', authority = '', path = '', query = ''] = match;
  if (!SCHEMES.includes(scheme.toLowerCase())) {
    throw new ConfigurationError(
      `transport_url has the scheme "${scheme}"; only rabbit:// is supported`,
    );
  }
  // oslo.messaging decodes it once, kombu once more, which cuts it at these.
  const once = unquote(path.slice(1));
  if (/[?#;\t\r\n]/.test(once)) {
    throw new ConfigurationError(
      'transport_url has a vhost with one of ? # ; in it, which kombu cuts off',
    );
  }
  const vhost = unquote(once) || '/';
  const hosts = authority.split(',').filter((host) => host !== '');
  const parsed = hosts.map((host, index) => parseHost(host, `host ${index + 1} of transport_url`));
  if (parsed.length === 0) parsed.push({ host: 'localhost', port: DEFAULT_PORT });
  const withCredentials = parsed.filter(({ user }) => user !== undefined).length;
  return {
    brokers: parsed.map(({ host, port, user, password }) => {
      return { host, port, user: user || GUEST, password: password || GUEST, vhost };
    }),
    options: queryOptions(query),
    mixedCredentials: withCredentials > 0 && withCredentials < parsed.length,
  };
}

interface Host {
  host: string;
  port: number;
  user?: string;
  password?: string;
}

function parseHost(text: string, what: string): Host {
  const at = text.lastIndexOf('@');
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d*))?$/.exec(text.slice(at + 1));
  // kombu decodes it: the zone of [fe80::1%25eth0].
  const host = unquote(match?.[1] ?? match?.[2] ?? '') || undefined;
  const port = match?.[3] ? Number(match[3]) : DEFAULT_PORT;
  if (host === undefined || port < 1 || port > 65_535) {
    throw new ConfigurationError(
      `${what} is not host:port; in a user or password write "/" as %2F, "," as %2C, "?" as %3F and "#" as %23`,
    );
  }
  if (at < 0) return { host, port };
  const [user = '', ...password] = text.slice(0, at).split(':');
  return { host, port, user: unquote(user), password: unquote(password.join(':')) };
}

/** An option that is given twice becomes a list, and one without a value is none, as oslo.messaging has it. */
function queryOptions(query: string): Record<string, string> {
  const params = new URLSearchParams(query);
  const given = [...new Set(params.keys())].map((key): [string, string[]] => {
    return [key, params.getAll(key).filter((value) => value !== '')];
  });
  return Object.fromEntries(
    given.filter(([, values]) => values.length > 0).map(([key, values]) => [key, values.join(',')]),
  );
}
