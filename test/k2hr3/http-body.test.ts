import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../src/k2hr3/http-body.ts';
import { answering } from '../http/http-server.ts';

const ORIGIN = 'http://k2hr3:18080';

/** The answer of a server that says this; `cut` breaks it off before its announced end. */
async function answered(
  body: Buffer | string,
  encoding?: string,
  { cut = false } = {},
): Promise<{ headers: IncomingHttpHeaders; body: IncomingMessage }> {
  const url = await answering((_, outgoing) => {
    if (encoding !== undefined) outgoing.setHeader('content-encoding', encoding);
    outgoing.setHeader('content-length', Buffer.byteLength(body) + (cut ? 1 : 0));
    if (cut) outgoing.write(body, () => outgoing.destroy());
    else outgoing.end(body);
  });
  const outgoing = http.get(url, { agent: false });
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { headers: incoming.headers, body: incoming };
}

describe('readBody', () => {
  it('is text as it is, in several parts too', async () => {
    const text = 'ノード'.repeat(50_000);
    expect(await readBody(await answered(text), 1_000_000, ORIGIN)).toBe(text);
    expect(await readBody(await answered('[GLOBAL]', 'identity'), 99, ORIGIN)).toBe('[GLOBAL]');
  });

  it('unpacks gzip', async () => {
    const incoming = await answered(gzipSync('[GLOBAL] ノード'), 'gzip');
    expect(await readBody(incoming, 5000, ORIGIN)).toBe('[GLOBAL] ノード');
  });

  it.each(['gzip', 'br'])('is empty when there is none, even packed with %s', async (packing) => {
    expect(await readBody(await answered('', packing), 5000, ORIGIN)).toBe('');
  });

  it('may have exactly as many bytes as it is allowed, packed or not', async () => {
    const text = 'x'.repeat(5000);
    expect(await readBody(await answered(text), 5000, ORIGIN)).toBe(text);
    expect(await readBody(await answered(gzipSync(text), 'gzip'), 5000, ORIGIN)).toBe(text);
  });

  it.each<[string, Buffer | string, string | undefined, string]>([
    ['that is broken gzip', 'not gzip', 'gzip', 'broken gzip'],
    ['that is half of gzip', gzipSync('x'.repeat(99)).subarray(0, 20), 'gzip', 'broken gzip'],
    ['too long once unpacked', gzipSync(Buffer.alloc(5001)), 'gzip', 'more than 5000 bytes'],
    ['that is too long', Buffer.alloc(5001), undefined, 'more than 5000 bytes'],
    ['packed in another way', 'x', 'br', 'packed in an unknown way'],
  ])('is an invalid answer when it is one %s', async (_, body, encoding, said) => {
    const incoming = await answered(body, encoding);
    await expect(readBody(incoming, 5000, ORIGIN)).rejects.toMatchObject({
      kind: 'invalid-answer',
      message: `K2HR3 at ${ORIGIN} answered ${said.startsWith('packed') ? '' : 'with '}${said}`,
    });
  });

  it('rejects with the error of the socket when it breaks off', async () => {
    const incoming = await answered('half', undefined, { cut: true });
    await expect(readBody(incoming, 5000, ORIGIN)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
