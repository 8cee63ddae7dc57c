import http from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface RawCall {
  url: string;
  method?: string | undefined;
  headers?: Record<string, string> | undefined;
  /** Address to call from. */
  from?: string | undefined;
  body?: string | undefined;
}

/** One HTTP call of which nothing is interpreted; the stand-in is judged by what it returns. */
export async function rawCall({ url, method = 'GET', headers, from, body }: RawCall): Promise<{
  status: number | undefined;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}> {
  const origin = /^http:\/\/[^/]+/.exec(url)?.[0] ?? '';
  const incoming = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const path = url.slice(origin.length);
    http
      .request(origin, { method, path, headers, localAddress: from }, resolve)
      .on('error', reject)
      .end(body);
  });
  const { statusCode: status, headers: answered } = incoming;
  return { status, headers: answered, body: await buffer(incoming) };
}
