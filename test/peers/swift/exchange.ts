import {
  request as connectTo,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { pump, type PumpEnd } from './body-pump.ts';
import type { BodyFault, Fault, Way } from './faults.ts';
import type { CannedAnswer } from './swift-answers.ts';

/** What went through the door. It fills while the request is under way. */
export interface DoorRecord {
  method: string;
  /** With the query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** What the client was answered; null as long as it has no answer. */
  status: number | null;
  /** Bytes of the body that came from the client. */
  received: number;
  /** Bytes of the body that came from Swift for the client. */
  answered: number;
  fault: Fault['kind'] | null;
}

/** Belong to one connection, not to the request. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/** One request that comes to the door, and what becomes of it. */
export class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #record: DoorRecord;
  readonly #fault: Fault | undefined;
  readonly #canned: (status: number, path: string) => CannedAnswer;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    parts: {
      record: DoorRecord;
      fault: Fault | undefined;
      answer: (status: number, path: string) => CannedAnswer;
    },
  ) {
    const { record, fault, answer } = parts;
    this.#canned = answer;
    this.#request = request;
    this.#response = response;
    this.#record = record;
    this.#fault = fault;
    response.sendDate = false; // Swift sends one
  }

  /** Lets it happen; `target` is the port of 127.0.0.1 behind the door. */
  async run(target: number): Promise<void> {
    const fault = this.#fault;
    try {
      if (fault?.kind !== 'answer' || fault.when === 'stored') await this.#forward(target);
      else if (fault.when === 'before-body') this.#answer(fault.status);
      else await this.#swallow(fault.status);
    } catch {
      this.#drop('reset'); // one side broke off, and so does the other
    }
  }

  async #swallow(status: number): Promise<void> {
    if (this.#expectsContinue) this.#response.writeContinue();
    for await (const chunk of this.#request as AsyncIterable<Buffer>) this.#received(chunk.length);
    this.#answer(status);
  }

  async #forward(target: number): Promise<void> {
    const upstream = this.#connect(target);
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      upstream.once('response', resolve).on('error', reject);
    });
    // Swift may answer and hang up before it has everything: its answer is what counts.
    const sent = this.#send(upstream).catch(() => 'ended' as const);
    const first = await Promise.race([answer, sent]);
    if (first === 'cut' || first === 'stalled') this.#breakOff(first, 'request');
    else await this.#relay(await answer);
  }

  #connect(target: number): ClientRequest {
    const { method, url: path, rawHeaders } = this.#request;
    const headers = withoutHeaders(rawHeaders, new Set(['connection', 'keep-alive']));
    const upstream = connectTo({
      host: '127.0.0.1',
      port: target,
      method,
      path,
      headers,
      agent: false,
    });
    upstream.on('continue', () => this.#response.writeContinue());
    this.#response.once('close', () => upstream.destroy());
    upstream.flushHeaders();
    return upstream;
  }

  async #send(upstream: ClientRequest): Promise<PumpEnd> {
    const count = (bytes: number): void => this.#received(bytes);
    const way = 'request';
    const end = await pump({ from: this.#request, to: upstream, way, fault: this.#body, count });
    if (end === 'ended') upstream.end();
    return end;
  }

  async #relay(answer: IncomingMessage): Promise<void> {
    if (this.#fault?.kind === 'answer') {
      answer.resume();
      this.#answer(this.#fault.status);
      return;
    }
    const { statusCode = 0, statusMessage, rawHeaders } = answer;
    const headers = withoutHeaders(rawHeaders, HOP_BY_HOP);
    if (this.#fault?.kind === 'wrong-etag') falsifyEtag(headers);
    this.#record.status = statusCode;
    this.#response.writeHead(statusCode, statusMessage, headers).flushHeaders();
    const count = (bytes: number): void => void (this.#record.answered += bytes);
    const way = 'response';
    const end = await pump({ from: answer, to: this.#response, way, fault: this.#body, count });
    if (end === 'ended') this.#response.end();
    else this.#breakOff(end, way);
  }

  /** Answers as what is behind the door does. What is still to come of the body is read and thrown away. */
  #answer(status: number): void {
    const { reason, headers, body } = this.#canned(status, this.#record.path);
    this.#record.status = status;
    // Whoever was not told to go on with the body does not: what follows would be taken for it.
    if (this.#expectsContinue && this.#record.received === 0)
      this.#response.shouldKeepAlive = false;
    const length = String(Buffer.byteLength(body));
    this.#response.writeHead(status, reason, { ...headers, 'Content-Length': length });
    this.#response.end(this.#request.method === 'HEAD' ? undefined : body);
  }

  /** After `stalled` nothing is to happen any more. */
  #breakOff(end: 'cut' | 'stalled', way: Way): void {
    const fault = this.#fault;
    if (end === 'cut' && fault?.kind === 'cut' && fault.way === way) this.#drop(fault.how);
  }

  #drop(how: 'reset' | 'end'): void {
    const { socket } = this.#request;
    if (how === 'reset') socket.resetAndDestroy();
    else socket.destroySoon();
  }

  #received(bytes: number): void {
    this.#record.received += bytes;
  }

  get #body(): BodyFault | undefined {
    const fault = this.#fault;
    return fault?.kind === 'answer' || fault?.kind === 'wrong-etag' ? undefined : fault;
  }

  get #expectsContinue(): boolean {
    return this.#request.headers.expect?.toLowerCase() === '100-continue';
  }
}

/** Headers as they came, in the form name, value, name, value, without some. */
function withoutHeaders(raw: string[], unwanted: ReadonlySet<string>): string[] {
  return raw.filter((_, index) => !unwanted.has((raw[index & ~1] ?? '').toLowerCase()));
}

function falsifyEtag(headers: string[]): void {
  const index = headers.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'etag');
  if (index < 0) return;
  const etag = headers[index + 1] ?? '';
  headers[index + 1] = etag.replaceAll(/[0-9a-f]/g, (digit) =>
    (15 - parseInt(digit, 16)).toString(16),
  );
}
