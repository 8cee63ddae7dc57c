import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RgwObject, SloEntry } from './buckets.ts';
import { etagOf } from './large-objects.ts';
import { Refusal } from './refusals.ts';

/** A GET or a HEAD of an object. */
interface Reading {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  /** The bytes of a segment; throws Refusal when they are not to be had. */
  read: (entry: SloEntry) => Buffer;
}

/**
 * Answers with an object (RGWGetObj in src/rgw/rgw_op.cc, RGWGetObj_ObjStore_SWIFT in
 * src/rgw/rgw_rest_swift.cc). Throws Refusal as long as nothing was sent, and breaks off later.
 */
export async function sendObject(reading: Reading, found: RgwObject): Promise<void> {
  const { request, response, query } = reading;
  const asked = request.headers['if-match']?.replaceAll('"', '');
  // Of a static large object too it is the ETag that is stored: of the manifest, which nobody knows
  // (RGWRados::Object::Read::prepare in src/rgw/rgw_rados.cc).
  if (asked !== undefined && asked !== found.etag) throw new Refusal('PreconditionFailed');
  // skip_manifest: the object is read as if it were none, and its data are empty.
  const entries = query.get('multipart-manifest') === 'get' ? null : found.slo;
  const size = entries?.reduce((sum, { size_bytes }) => sum + size_bytes, 0) ?? found.data.length;
  const from = firstByte(request.headers.range, size);
  const begin = (): void => {
    response.writeHead(from === null ? 200 : 206, {
      ...found.metadata,
      'Content-Type': found.contentType ?? 'binary/octet-stream',
      'Content-Length': size - (from ?? 0),
      'Last-Modified': found.modified.toUTCString(),
      'X-Timestamp': (found.modified.getTime() / 1000).toFixed(5),
      ...(from === null ? {} : { 'Content-Range': `bytes ${from}-${size - 1}/${size}` }),
      ...(entries ? { 'X-Static-Large-Object': 'True' } : {}),
      ETag: entries ? `"${etagOf(entries)}"` : found.etag,
    });
  };
  if (entries) await sendSegments(reading, entries, from ?? 0, begin);
  else {
    begin();
    response.end(request.method === 'HEAD' ? undefined : found.data.subarray(from ?? 0));
  }
}

/**
 * The head goes out with the first bytes, and so does that of a HEAD, which reads all segments for nothing
 * (RGWGetObj::handle_slo_manifest; that of a dynamic one does not). What fails later is only seen by a GET.
 */
async function sendSegments(
  { request, response, read }: Reading,
  entries: readonly SloEntry[],
  from: number,
  begin: () => void,
): Promise<void> {
  let at = 0;
  for (const entry of entries) {
    const skipped = Math.max(0, from - at);
    at += entry.size_bytes;
    if (skipped >= entry.size_bytes) continue;
    if (response.headersSent) await written(response, read(entry).subarray(skipped));
    else {
      const data = read(entry).subarray(skipped);
      begin();
      if (request.method === 'HEAD') break;
      await written(response, data);
    }
  }
  response.end();
}

function written(response: ServerResponse, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(data, (error) => (error ? reject(error) : resolve()));
  });
}

function firstByte(range: string | undefined, size: number): number | null {
  const from = /^bytes=(\d+)-$/.exec(range ?? '')?.[1];
  if (from === undefined) return null;
  if (Number(from) >= size) throw new Refusal('InvalidRange');
  return Number(from);
}
