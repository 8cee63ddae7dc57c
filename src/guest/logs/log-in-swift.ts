import { patiently, type PatienceParts } from '../../backup/swift/patience.ts';
import type { SwiftClient } from '../../backup/swift/swift-client.ts';
import { SwiftError } from '../../backup/swift/swift-error.ts';
import { AgentError } from '../../base/errors.ts';
import { md5Of } from '../../base/md5.ts';
import type { Secrets } from '../../base/secrets.ts';
import { wholeBody } from '../../http/whole-body.ts';
import type { LogOptions } from '../../trove/log-options.ts';
import type { GuestLog } from './guest-log.ts';
import type { LogRecords } from './log-records.ts';
import type { LogSource } from './log-source.ts';
import { metafileText, parseMetafile } from './metafile.ts';
import { logPrefix, metafileName, nextObject } from './object-names.ts';
import { piecesOf, type Piece } from './pieces.ts';
import { nothingPublished, type Published } from './published.ts';

/** What a log in Swift is made of. */
export interface LogInSwiftParts {
  log: GuestLog;
  instanceId: string;
  /** Whose account it is. */
  projectId: string;
  options: LogOptions;
  records: LogRecords;
  secrets: Secrets;
  /** Opened when something is asked of Swift, and not before. */
  swift: () => Promise<SwiftClient>;
  patience: PatienceParts;
}

/** A metafile has a few hundred (bytes). */
const MOST_METAFILE_BYTES = 64 * 1024;
/** Lists of containers lag behind, so they are looked at twice. */
const PASSES = 2;

/**
 * One log in the account of one project. Each line is in one object and no other, whenever Swift or the agent
 * fails:
 *
 *   name and MD5 of the next object → guest-logs.json → PUT → "published up to there" → guest-logs.json → metafile
 *
 * What was being sent when something failed is looked for in Swift. If it is there, it counts; if not, the same
 * bytes of the log go out under the same name.
 */
export class LogInSwift {
  readonly #parts: LogInSwiftParts;
  readonly #prefix: string;
  readonly #metafile: string;

  constructor(parts: LogInSwiftParts) {
    this.#parts = parts;
    this.#prefix = logPrefix(parts.instanceId, parts.log.name);
    this.#metafile = metafileName(parts.instanceId, parts.log.name);
  }

  /** How far the log is published: by our own record, or by the metafile. Throws SwiftError. */
  async published(): Promise<Published> {
    const known = await this.#known();
    return known.discarding ? this.#nothing(known) : known;
  }

  /**
   * Publishes what is new, piece by piece, until `isOver` says so.
   *
   * @throws SwiftError, AgentError when the log cannot be read; the signal's reason. What has gone out by then
   *   counts.
   */
  async publish(source: LogSource, isOver: () => boolean): Promise<void> {
    const { secrets, options, patience } = this.#parts;
    let now = await this.#settled();
    const lines = source.read(now.position, patience.signal);
    const firstSource = now.sending?.source ?? null;
    const how = { secrets, limitBytes: options.limitBytes, firstSource };
    for await (const piece of piecesOf(lines, how)) {
      now = await this.#send(now, piece);
      if (isOver()) break;
    }
    if (now.staleMetafile) await this.#writeMetafile(now);
  }

  /** Removes all that is published; the next publishing begins with the first line there is. Throws SwiftError. */
  async discard(): Promise<void> {
    await this.#discard(await this.#known());
  }

  async #known(): Promise<Published> {
    const { log, records, projectId, options } = this.#parts;
    const known = records.published(log.name, projectId);
    return known?.container === options.container ? known : this.#readMetafile();
  }

  /** Nothing is half done any more, but for an object that Swift does not have. */
  async #settled(): Promise<Published> {
    const known = await this.#known();
    const now = known.discarding ? await this.#discard(known) : known;
    if (now.sending === null) return now;
    const { name, md5 } = now.sending;
    return (await this.#etagOf(name)) === md5 ? this.#set(withSent(now, now.sending)) : now;
  }

  async #send(now: Published, piece: Piece): Promise<Published> {
    const { options, patience } = this.#parts;
    const { body, lines, source, after, firstLine } = piece;
    const name =
      now.sending?.name ?? nextObject(this.#prefix, patience.clock.wall(), now.lastObject);
    const sending = { name, source, md5: md5Of(body), after, headerDigest: firstLine };
    const begun = await this.#set({ ...now, sending });
    const headers = { 'X-Delete-After': String(options.expirySeconds) };
    await this.#put(name, body, { ...headers, 'X-Object-Meta-Lines': String(lines) });
    return this.#writeMetafile(await this.#set(withSent(begun, sending)));
  }

  async #writeMetafile(now: Published): Promise<Published> {
    const { log, options } = this.#parts;
    const body = Buffer.from(metafileText(log, now));
    await this.#put(this.#metafile, body, { 'X-Delete-After': String(options.expirySeconds) });
    return this.#set({ ...now, staleMetafile: false });
  }

  async #readMetafile(): Promise<Published> {
    const { projectId, options, log, patience } = this.#parts;
    const place = { projectId, container: options.container };
    const text = await this.#asking(async (client) => {
      const { body } = await client.get(options.container, this.#metafile);
      return (await wholeBody(body, MOST_METAFILE_BYTES)).toString();
    });
    if (text === null) return nothingPublished(projectId, options.container);
    const read = parseMetafile(text, place);
    if (read !== null) return read;
    patience.log.warn(
      { log: log.name, object: this.#metafile },
      'a metafile that is not of this agent: its log is published from the beginning',
    );
    return nothingPublished(projectId, options.container);
  }

  async #discard(known: Published): Promise<Published> {
    const begun = await this.#set({ ...known, discarding: true });
    const { container } = begun;
    const client = await this.#parts.swift();
    const remove = (name: string): Promise<void> =>
      patiently(this.#parts.patience, () => client.delete(container, name));
    for (let pass = 0; pass < PASSES; pass++) {
      const listed = await patiently(this.#parts.patience, () =>
        client.list(container, this.#prefix),
      );
      for (const { name } of listed) await remove(name);
    }
    // These may not be in a list yet.
    for (const name of [known.sending?.name, known.lastObject]) {
      if (typeof name === 'string') await remove(name);
    }
    await remove(this.#metafile);
    return this.#set(this.#nothing(known));
  }

  /** The names of what comes next come after those that were removed: an old list may still have them. */
  #nothing({ projectId, container, lastObject, sending }: Published): Published {
    const last = sending?.name ?? lastObject;
    return { ...nothingPublished(projectId, container), lastObject: last };
  }

  async #set(published: Published): Promise<Published> {
    const { records, log } = this.#parts;
    await records.set(log.name, published);
    return published;
  }

  /** Stores an object, and makes the container when there is none. */
  async #put(name: string, body: Buffer, headers: Record<string, string>): Promise<void> {
    const { swift, options, patience } = this.#parts;
    const { container } = options;
    const client = await swift();
    const stored = await patiently(patience, async () => {
      const etag = await missing(client.put(container, name, body, headers));
      if (etag !== null) return etag;
      await client.createContainer(container);
      return client.put(container, name, body, headers);
    });
    if (stored !== md5Of(body)) {
      throw new AgentError(
        `${container}/${name} in Swift has the checksum ${stored}, and not that of what was sent: publish again`,
        { retryable: true },
      );
    }
  }

  #etagOf(name: string): Promise<string | null> {
    const { container } = this.#parts.options;
    return this.#asking(async (client) => (await client.head(container, name)).etag);
  }

  /** Null when there is no such object, or no container. */
  async #asking<T>(work: (client: SwiftClient) => Promise<T>): Promise<T | null> {
    const client = await this.#parts.swift();
    return patiently(this.#parts.patience, () => missing(work(client)));
  }
}

async function missing<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof SwiftError && error.status === 404) return null;
    throw error;
  }
}

/** What is known when Swift has what was being sent. */
function withSent(now: Published, sent: NonNullable<Published['sending']>): Published {
  return {
    ...now,
    bytes: now.bytes + sent.source,
    position: sent.after,
    headerDigest: now.headerDigest ?? sent.headerDigest,
    lastObject: sent.name,
    sending: null,
    staleMetafile: true,
  };
}
