import { AgentError, codeOf, messageOf } from '../base/errors.ts';
import type { BrokerAddress } from './broker-address.ts';
import type { TlsOptions } from './tls.ts';
import { wrongPeer } from './wrong-peer.ts';

/**
 * A failed attempt to connect, in one line that names the broker and what to do; never the
 * password. The codes and texts are those that Node.js 20 and amqplib 2.3 gave on RabbitMQ 3.10.
 */
export function connectFailure(
  { host, port, user, vhost }: BrokerAddress,
  tls: TlsOptions | undefined,
  cause: unknown,
): AgentError {
  const what = `cannot open an AMQP connection to ${host}:${port} (vhost ${vhost}, user ${user})`;
  const code = codeOf(cause);
  const translated = (tls && tlsReason(code, tls)) ?? plainReason(cause, tls);
  if (translated === undefined) {
    const facts = { cause, retryable: true };
    return new AgentError(`${what}: ${messageOf(cause)}`, facts);
  }
  // Without the cause, whose text would follow in the log: OpenSSL's is half a line of source names.
  const reason = code === undefined ? translated : `${translated} (${code})`;
  return new AgentError(`${what}: ${reason}`, { retryable: true });
}

/** What the codes of OpenSSL and node:tls mean here; their texts are for those who know both. */
function tlsReason(code: string | undefined, tls: TlsOptions): string | undefined {
  switch (code) {
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `its certificate comes from a CA that is not in ssl_ca_file (${tls.caFile}); put the broker's CA there`;
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired; renew it, or set the clock of this VM';
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet; set the clock of this VM';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another host; write a name that it holds into transport_url, or switch ssl_enforce_hostname_verification off';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return 'it does not speak TLS on this port; use its TLS port in transport_url, or switch ssl off';
    case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return 'it speaks no TLS version that this side allows (1.2 and newer, or what ssl_version says)';
    case 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED':
    case 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE':
      return tls.certFile === undefined
        ? 'it asks for a client certificate; set ssl_cert_file and ssl_key_file'
        : 'it ended the TLS handshake; its log says why';
    case 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA':
    case 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN':
      return `it does not accept the client certificate of ssl_cert_file (${tls.certFile}); its log says why`;
    case undefined:
      return undefined;
    default:
      return code.startsWith('ERR_SSL_')
        ? 'the TLS handshake failed; check that the port in transport_url is the TLS port of the broker'
        : undefined;
  }
}

function plainReason(cause: unknown, tls: TlsOptions | undefined): string | undefined {
  const message = messageOf(cause);
  if (message.includes('ACCESS_REFUSED')) {
    return 'the login was refused; check user and password in transport_url';
  }
  // amqplib does not tell why connection.open was answered with connection.close.
  if (/Expected ConnectionOpenOk/.test(message)) {
    return 'the virtual host does not exist or this user may not use it; check both in transport_url';
  }
  const wrong = wrongPeer(message);
  if (wrong !== undefined) return wrong;
  const cut = codeOf(cause) === 'ECONNRESET' || message.startsWith('Socket closed abruptly');
  if (!cut) return undefined;
  return tls
    ? 'it ended the connection before the login; its log says why'
    : 'it ended the connection before the login; if it wants TLS on this port set ssl = true';
}
