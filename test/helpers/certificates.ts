import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** A certificate and its key, PEM files. */
export interface Certificate {
  certFile: string;
  keyFile: string;
}

/** Whom a certificate is for, and for how long. */
interface Subject {
  /** Such as `IP:127.0.0.1` or `DNS:localhost`. */
  name: string;
  /** Counted from now; negative for one that has expired. Default 1. */
  days?: number;
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate authority of a test, made by openssl. */
export class CertificateAuthority {
  readonly caFile: string;
  readonly #keyFile: string;
  readonly #directory: string;

  private constructor(directory: string, name: string) {
    this.#directory = directory;
    this.caFile = path.join(directory, `${name}.pem`);
    this.#keyFile = path.join(directory, `${name}.key`);
  }

  static async make(directory: string, name = 'ca'): Promise<CertificateAuthority> {
    const authority = new CertificateAuthority(directory, name);
    const files = ['-keyout', authority.#keyFile, '-out', authority.caFile];
    await openssl('req', '-x509', ...EC_KEY, ...files, '-days', '1', '-subj', `/CN=${name}`);
    return authority;
  }

  /** Makes a certificate; `file` is the name of its files. */
  async issue(file: string, { name, days = 1 }: Subject): Promise<Certificate> {
    const at = (suffix: string): string => path.join(this.#directory, `${file}${suffix}`);
    const [certFile, keyFile, request, extensions] = ['.pem', '.key', '.csr', '.ext'].map(at) as [
      string,
      string,
      string,
      string,
    ];
    await writeFile(extensions, `subjectAltName=${name}\n`);
    await openssl('req', ...EC_KEY, '-keyout', keyFile, '-out', request, '-subj', `/CN=${file}`);
    const ca = ['-CA', this.caFile, '-CAkey', this.#keyFile, '-CAcreateserial'];
    const validity = ['-days', String(days), '-extfile', extensions];
    await openssl('x509', '-req', '-in', request, ...ca, '-out', certFile, ...validity);
    return { certFile, keyFile };
  }
}

async function openssl(...args: string[]): Promise<void> {
  await promisify(execFile)('/usr/bin/openssl', args);
}
