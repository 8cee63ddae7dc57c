import { describe, expect, it } from 'vitest';
import { connectFailure } from '../../src/amqp/connect-failure.ts';
import type { TlsOptions } from '../../src/amqp/tls.ts';

const ADDRESS = { host: 'mq', port: 5671, user: 'trove', password: 'hidden', vhost: '/' };
const WHAT = 'cannot open an AMQP connection to mq:5671 (vhost /, user trove): ';
const TLS: TlsOptions = { caFile: '/ca.pem', verifyHost: true };
const WITH_CERTIFICATE: TlsOptions = { ...TLS, certFile: '/own.pem' };

/** A system error, with a text that nobody should have to read. */
function coded(code: string, text = 'openssl says: hidden'): Error {
  return Object.assign(new Error(text), { code });
}

const saidOf = (tls: TlsOptions | undefined, cause: unknown): string =>
  connectFailure(ADDRESS, tls, cause).message;

describe('a failed connection', () => {
  it('names the broker and the text of what it does not know, and can be tried again', () => {
    const cause = coded('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:5671');
    const failure = connectFailure(ADDRESS, undefined, cause);
    expect(failure).toMatchObject({ message: `${WHAT}${cause.message}`, retryable: true, cause });
  });

  it.each<[string, TlsOptions, RegExp]>([
    ['SELF_SIGNED_CERT_IN_CHAIN', TLS, /not in ssl_ca_file \(\/ca\.pem\)/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', TLS, /not in ssl_ca_file/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', TLS, /not in ssl_ca_file/],
    ['CERT_HAS_EXPIRED', TLS, /has expired; renew it/],
    ['CERT_NOT_YET_VALID', TLS, /not valid yet; set the clock/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', TLS, /for another host.*transport_url/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', TLS, /does not speak TLS on this port/],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', TLS, /ssl_version/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', TLS, /set ssl_cert_file and ssl_key_file/],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', WITH_CERTIFICATE, /ended the TLS handshake/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', WITH_CERTIFICATE, /ssl_cert_file \(\/own\.pem\)/],
  ])('over TLS says what %s asks for, and not what OpenSSL says', (code, tls, reason) => {
    const failure = connectFailure(ADDRESS, tls, coded(code));
    expect(failure.message).toMatch(reason);
    expect(failure.message.startsWith(WHAT)).toBe(true);
    expect(failure.message.endsWith(` (${code})`)).toBe(true);
    expect(failure.retryable).toBe(true);
    expect(failure.cause).toBeUndefined();
    expect(failure.message).not.toContain('hidden');
  });

  it('without TLS does not blame options of TLS', () => {
    expect(saidOf(undefined, coded('CERT_HAS_EXPIRED', 'expired'))).toBe(`${WHAT}expired`);
  });

  it.each([
    [
      'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
      'the login was refused; check user and password in transport_url',
    ],
    [
      'Expected ConnectionOpenOk; got <ConnectionClose channel:0>',
      'the virtual host does not exist or this user may not use it; check both in transport_url',
    ],
  ])('is put into words: %s', (text, reason) => {
    expect(saidOf(undefined, new Error(text))).toBe(`${WHAT}${reason}`);
    expect(saidOf(TLS, new Error(text))).toBe(`${WHAT}${reason}`);
  });

  it.each([
    ['with a code', coded('ECONNRESET'), ' (ECONNRESET)'],
    ['without one', new Error('Socket closed abruptly during opening handshake'), ''],
  ])('that the broker cut %s suggests TLS only where there is none', (_, cause, code) => {
    const ended = `${WHAT}it ended the connection before the login; `;
    expect(saidOf(undefined, cause)).toBe(
      `${ended}if it wants TLS on this port set ssl = true${code}`,
    );
    expect(saidOf(TLS, cause)).toBe(`${ended}its log says why${code}`);
  });
});
