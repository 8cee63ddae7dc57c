import type http from 'node:http';

/** What the headers of an object say. */
export interface ObjectFacts {
  /** Without the quotes that Swift puts around the ETag of a large object. */
  etag: string;
  /** Of the body that follows; of the whole object for a HEAD. */
  bytes: number;
  /** A static large object: its ETag is the MD5 of the hex MD5s of its segments. */
  isSlo: boolean;
  /** All, with names in lower case. */
  headers: http.IncomingHttpHeaders;
}

/** What the headers of an answer say about the object. */
export function factsOf({ headers }: http.IncomingMessage): ObjectFacts {
  return {
    etag: unquoted(headers.etag ?? ''),
    bytes: Number(headers['content-length'] ?? 0),
    isSlo: headers['x-static-large-object'] !== undefined,
    headers,
  };
}

/**
 * An ETag without the quotes that Swift puts around that of a large object, and without the mark of a
 * proxy on the way that compresses (`W/`).
 */
function unquoted(etag: string): string {
  return etag.replace(/^W\//, '').replaceAll('"', '');
}
