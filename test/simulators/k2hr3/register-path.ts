import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** What a register path stands for: a role (full yrn) and a token for it. */
export interface RegisterPath {
  role: string;
  token: string;
}

/** The pass phrase is the server's own; every stand-in has one of its own. */
export function newPassphrase(): Buffer {
  return randomBytes(32);
}

/**
 * The last part of an extdata URL: percent-encoded base64 of an encrypted record
 * (docs/contracts/k2hr3.md, 2.1), sealed so that any damage is found. The vector is drawn until the
 * base64 holds a `/`, so that a client that decodes the path fails every time and not only
 * sometimes.
 */
export function sealRegisterPath(passphrase: Buffer, content: RegisterPath): string {
  for (;;) {
    const vector = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', passphrase, vector);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(content)), cipher.final()]);
    const base64 = Buffer.concat([vector, cipher.getAuthTag(), sealed]).toString('base64');
    if (base64.includes('/')) return encodeURIComponent(base64);
  }
}

/** The content of a register path, or undefined when it is not one of ours, whole. */
export function openRegisterPath(passphrase: Buffer, text: string): RegisterPath | undefined {
  try {
    const sealed = Buffer.from(decodeURIComponent(text), 'base64');
    const decipher = createDecipheriv('aes-256-gcm', passphrase, sealed.subarray(0, 12));
    decipher.setAuthTag(sealed.subarray(12, 28));
    const plain = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
    return JSON.parse(plain.toString()) as RegisterPath;
  } catch {
    return undefined;
  }
}
