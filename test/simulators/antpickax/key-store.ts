import { closeSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { FIRST_RECORD } from './k2h-file.ts';
import { decodeBody, encodeRecord, HEAD_LENGTH, recordLengths } from './k2h-records.ts';
import { isIn, keyHash } from './placement.ts';
import type { Answer, Entry, Question } from './protocol.ts';

/**
 * The keys of a k2hdkc. They are kept in its k2h file, if it has one, where the last record of a
 * key counts; what k2hlinetool changes there is noticed before the next request.
 */
export class KeyStore {
  readonly #file: string;
  readonly #entries = new Map<string, Entry>();
  /** Where the next record goes. */
  #end = FIRST_RECORD;
  /** What the file was when it was last read or written here. */
  #version = '';
  #lastWritten = 0n;

  /** `file` is empty for keys in memory only. */
  constructor(file: string) {
    this.#file = file;
    this.#refresh();
  }

  /** Does what a chmpx asks. */
  answer(question: Question): Answer {
    this.#refresh();
    switch (question.kind) {
      case 'get': {
        const found = this.#entries.get(question.key);
        return { entries: found === undefined ? [] : [found] };
      }
      case 'set':
      case 'remove': {
        const value = question.kind === 'set' ? question.value : null;
        const entry: Entry = [question.key, value, String(this.#now())];
        this.#write([entry]);
        return { entries: [entry] };
      }
      case 'pull':
        return {
          entries: [...this.#entries.values()].filter(([key]) =>
            isIn(question.range, keyHash(Buffer.from(key, 'hex'))),
          ),
        };
      case 'take':
        this.#write(question.entries.filter((entry) => !this.#hasNewer(entry)));
        return { entries: [] };
      case 'serviceOut':
        return { failed: true };
    }
  }

  #hasNewer([key, , written]: Entry): boolean {
    const own = this.#entries.get(key);
    return own !== undefined && BigInt(own[2]) > BigInt(written);
  }

  /** Nanoseconds since the epoch, never the same twice. */
  #now(): bigint {
    const now = BigInt(Date.now()) * 1_000_000n;
    this.#lastWritten = now > this.#lastWritten ? now : this.#lastWritten + 1n;
    return this.#lastWritten;
  }

  #write(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry[1] === null) this.#entries.delete(entry[0]);
      else this.#entries.set(entry[0], entry);
    }
    if (this.#file === '' || entries.length === 0) return;
    const removed = entries.some(([, value]) => value === null);
    const from = removed ? FIRST_RECORD : this.#end;
    const records = (removed ? [...this.#entries.values()] : entries).map(encodeRecord);
    const text = Buffer.concat(records);
    const handle = openSync(this.#file, 'r+');
    writeSync(handle, Buffer.concat([text, Buffer.alloc(HEAD_LENGTH)]), 0, undefined, from);
    this.#end = from + text.length;
    this.#version = versionOf(fstatSync(handle, { bigint: true }));
    closeSync(handle);
  }

  #refresh(): void {
    if (this.#file === '') return;
    const stat = statSync(this.#file, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined || versionOf(stat) === this.#version) return;
    this.#version = versionOf(stat);
    this.#entries.clear();
    this.#end = FIRST_RECORD;
    const handle = openSync(this.#file, 'r');
    for (let read = this.#readRecord(handle); read; read = this.#readRecord(handle));
    closeSync(handle);
  }

  #readRecord(handle: number): boolean {
    const head = Buffer.alloc(HEAD_LENGTH);
    if (readSync(handle, head, 0, HEAD_LENGTH, this.#end) < HEAD_LENGTH) return false;
    const lengths = recordLengths(head);
    if (lengths === undefined) return false;
    const body = Buffer.alloc(lengths.reduce((sum, length) => sum + length, 0));
    readSync(handle, body, 0, body.length, this.#end + HEAD_LENGTH);
    const entry = decodeBody(lengths, body);
    this.#entries.set(entry[0], entry);
    this.#end += HEAD_LENGTH + body.length;
    return true;
  }
}

function versionOf({ ino, size, mtimeNs }: { ino: bigint; size: bigint; mtimeNs: bigint }): string {
  return `${ino} ${size} ${mtimeNs}`;
}
