import { createHash } from 'node:crypto';
import type http from 'node:http';
import { answering } from '../../http/http-server.ts';

/** What a fault does to a call; undefined lets it through. */
export type Fault = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
) => 'taken' | undefined;

/** A Swift in memory, for tests of one unit; test/integration has the real one. */
export interface MemorySwift {
  storageUrl: string;
  token: string;
  /** By container and name. */
  objects: Map<string, StoredObject>;
  containers: Set<string>;
  /** Method, path and query of every call. */
  calls: string[];
  /** What it says about itself. */
  info: unknown;
  /** Asked before every call. */
  fault: Fault;
}

interface StoredObject {
  body: Buffer;
  etag: string;
  isSlo: boolean;
  headers: http.IncomingHttpHeaders;
  /** Of a large object, as Swift tells them. */
  segments?: ToldSegment[];
}

interface ToldSegment {
  name: string;
  bytes: number;
  hash: string;
  content_type: string;
  last_modified: string;
}

/** Starts one; it is closed when the test is over. */
export async function startMemorySwift(): Promise<MemorySwift> {
  const swift: MemorySwift = {
    storageUrl: '',
    token: 'gAAAA-secret-token',
    objects: new Map(),
    containers: new Set(),
    calls: [],
    info: { swift: { version: '2.30.1' }, slo: {} },
    fault: () => undefined,
  };
  const onCall = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    // A call whose body is cut off has no answer.
    serve(swift, request, response).catch(() => response.destroy());
  };
  swift.storageUrl = `${await answering(onCall)}/v1/AUTH_test`;
  return swift;
}

async function serve(
  swift: MemorySwift,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  swift.calls.push(`${request.method ?? ''} ${request.url ?? ''}`);
  request.on('error', () => undefined);
  if (swift.fault(request, response) === 'taken') return;
  const { status, headers, body } = await answer(swift, request, response);
  response.writeHead(status, { 'X-Trans-Id': 'tx-1', ...headers }).end(body);
}

interface Answer {
  status: number;
  headers?: http.OutgoingHttpHeaders;
  body?: Buffer | string;
}

async function answer(
  swift: MemorySwift,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<Answer> {
  const url = new URL(request.url ?? '', swift.storageUrl);
  const [container = '', name] = url.pathname
    .split('/')
    .slice(3)
    .map((part) => decodeURIComponent(part));
  const { objects, containers } = swift;
  if (url.pathname === '/info') return { status: 200, body: JSON.stringify(swift.info) };
  if (request.headers['x-auth-token'] !== swift.token) return { status: 401 };
  if (name === undefined) {
    if (request.method === 'PUT') {
      containers.add(container);
      return { status: 201 };
    }
    const names = [...objects.keys()].filter((key) => key.startsWith(`${container}/`));
    const list = names
      .map((key) => ({
        name: key.slice(container.length + 1),
        bytes: objects.get(key)?.body.length,
        hash: objects.get(key)?.etag,
      }))
      .filter((one) => one.name.startsWith(url.searchParams.get('prefix') ?? ''))
      .filter((one) => one.name > (url.searchParams.get('marker') ?? ''))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return { status: containers.has(container) ? 200 : 404, body: JSON.stringify(list) };
  }
  const key = `${container}/${name}`;
  if (request.method === 'PUT') return store(swift, key, url, request, response);
  const found = objects.get(key);
  if (!found) return { status: 404 };
  if (request.method === 'DELETE') {
    objects.delete(key);
    return { status: 204 };
  }
  if (url.search.includes('multipart-manifest=get')) {
    return { status: 200, body: JSON.stringify(found.segments ?? []) };
  }
  const asked = request.headers['if-match'];
  if (asked !== undefined && asked !== `"${found.etag}"`) return { status: 412 };
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const body = found.body.subarray(from);
  const headers = {
    'Content-Length': body.length,
    Etag: found.isSlo ? `"${found.etag}"` : found.etag,
    ...(found.isSlo ? { 'X-Static-Large-Object': 'True' } : {}),
  };
  const status = from > 0 ? 206 : 200;
  return request.method === 'HEAD' ? { status, headers } : { status, headers, body };
}

async function store(
  { objects, containers }: MemorySwift,
  key: string,
  url: URL,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<Answer> {
  const [container = ''] = key.split('/');
  if (!containers.has(container)) return { status: 404 };
  if (request.headers.expect !== undefined) response.writeContinue();
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  const body = Buffer.concat(pieces);
  const { headers } = request;
  const copied = objects.get(decodeURIComponent(String(headers['x-copy-from'])));
  if (copied) {
    objects.set(key, { ...copied, headers });
    return { status: 201, headers: { Etag: copied.etag } };
  }
  if (!url.search.includes('multipart-manifest=put')) {
    const etag = md5(body);
    objects.set(key, { body, etag, isSlo: false, headers });
    return { status: 201, headers: { Etag: etag } };
  }
  const written = JSON.parse(body.toString()) as { path: string; etag: string }[];
  const segments = written.map(({ path, etag }) => ({ path: path.replace(/^\//, ''), etag }));
  const stored = segments.map(({ path }) => objects.get(path));
  const wrong = segments.find(({ etag }, index) => stored[index]?.etag !== etag);
  if (wrong) {
    const text = `Errors:\n${wrong.path}, Etag Mismatch`;
    return { status: 400, headers: { 'Content-Type': 'text/plain' }, body: text };
  }
  const etag = md5(segments.map((segment) => segment.etag).join(''));
  const whole = Buffer.concat(stored.map((one) => one?.body ?? Buffer.alloc(0)));
  const told = segments.map((segment, index): ToldSegment => ({
    name: `/${segment.path}`,
    bytes: stored[index]?.body.length ?? 0,
    hash: segment.etag,
    content_type: '',
    last_modified: '',
  }));
  objects.set(key, { body: whole, etag, isSlo: true, headers, segments: told });
  return { status: 201, headers: { Etag: `"${etag}"` } };
}

export function md5(bytes: Uint8Array | string): string {
  return createHash('md5').update(bytes).digest('hex');
}
