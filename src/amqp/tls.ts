import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  createSecureContext,
  type ConnectionOptions,
  type SecureContextOptions,
  type SecureVersion,
} from 'node:tls';
import { codeOf, ConfigurationError, messageOf } from '../base/errors.ts';

/** TLS to the broker. Messages call each option what it is called in [oslo_messaging_rabbit]. */
export interface TlsOptions {
  /**
   * `ssl_ca_file`, PEM: the broker's certificate must come from one of these CAs. Without it no
   * certificate is looked at, as in oslo.messaging.
   */
  caFile?: string;
  /** `ssl_cert_file`, PEM: what is shown to a broker that asks who we are. */
  certFile?: string;
  /** `ssl_key_file`, PEM. Default: the key is in `certFile` too. */
  keyFile?: string;
  /**
   * `ssl_enforce_hostname_verification`: the certificate must also be for the host that we
   * connect to. Means nothing without `caFile`.
   */
  verifyHost: boolean;
  /** `ssl_version`: this one and no other. Default: the best that both know, 1.2 at least. */
  onlyVersion?: SecureVersion;
}

/** Options of node:tls. */
type TlsSocketOptions = SecureContextOptions &
  Pick<ConnectionOptions, 'rejectUnauthorized' | 'checkServerIdentity'>;

/**
 * What node:tls is to do. The files are read anew each time, so that a renewed certificate is used
 * from the next connection on.
 *
 * @throws ConfigurationError that names option and file: missing, not readable, no PEM, or a key
 *   that does not belong to its certificate. Never quotes a file.
 */
export async function readTls(options: TlsOptions): Promise<TlsSocketOptions> {
  const { caFile, certFile, keyFile = certFile, verifyHost, onlyVersion } = options;
  const ca = await readPem('ssl_ca_file', caFile);
  const cert = await readPem('ssl_cert_file', certFile);
  const key = await readPem('ssl_key_file', keyFile);
  if (caFile !== undefined && ca !== undefined) checkCertificate('ssl_ca_file', caFile, ca);
  if (certFile !== undefined && cert !== undefined) {
    checkCertificate('ssl_cert_file', certFile, cert);
    checkKey(certFile, keyFile ?? certFile, { cert, key });
  }
  return {
    // Said in either case: NODE_TLS_REJECT_UNAUTHORIZED in the environment counts otherwise.
    rejectUnauthorized: ca !== undefined,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(onlyVersion && { minVersion: onlyVersion, maxVersion: onlyVersion }),
    ...(!verifyHost && { checkServerIdentity: () => undefined }),
  };
}

async function readPem(option: string, file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (cause) {
    const why = codeOf(cause) === 'ENOENT' ? 'does not exist' : messageOf(cause);
    throw new ConfigurationError(`${option} ${file}: ${why}`, { cause });
  }
}

/** A file without any certificate would be taken by node:tls without a word. */
function checkCertificate(option: string, file: string, pem: Buffer): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new ConfigurationError(`${option} ${file}: holds no certificate in PEM format`, {
      cause,
    });
  }
}

function checkKey(
  certFile: string,
  keyFile: string,
  pair: { cert: Buffer; key: Buffer | undefined },
): void {
  try {
    createSecureContext({ cert: pair.cert, ...(pair.key && { key: pair.key }) });
  } catch (cause) {
    const why =
      codeOf(cause) === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
        ? `is not the key of the certificate ${certFile} (ssl_cert_file)`
        : 'holds no private key in PEM format that can be used without a passphrase';
    throw new ConfigurationError(`ssl_key_file ${keyFile}: ${why}`, { cause });
  }
}
