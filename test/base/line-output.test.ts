import { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { LineOutput, written } from '../../src/base/line-output.ts';

type Outcome = 'taken' | 'EPIPE' | 'hangs';

/** A stream that does with each line what it is told to. */
class Scripted extends EventEmitter {
  readonly taken: string[] = [];
  readonly hanging: (() => void)[] = [];
  writableLength = 0;
  readonly #outcomes: Outcome[];

  constructor(outcomes: Outcome[]) {
    super();
    this.on('error', () => undefined);
    this.#outcomes = outcomes;
  }

  write(line: string, done: (error?: Error) => void): void {
    const outcome = this.#outcomes.shift() ?? 'taken';
    const take = (): void => {
      this.writableLength -= line.length;
      this.taken.push(line);
      done();
    };
    if (outcome === 'EPIPE') {
      done(new Error('write EPIPE'));
      this.emit('error', new Error('write EPIPE'));
      return;
    }
    this.writableLength += line.length;
    if (outcome === 'hangs') this.hanging.push(take);
    else take();
  }
}

function scripted(outcomes: Outcome[]) {
  const stream = new Scripted(outcomes);
  const output = new LineOutput(stream as unknown as Writable);
  output.onTakenAgain = (lost) => {
    output.write(`lost ${lost}`);
  };
  const write = (...lines: string[]): void => {
    for (const line of lines) output.write(line);
  };
  return { stream, write };
}

it('loses the lines that nobody takes, and says how many when somebody takes them again', () => {
  const { stream, write } = scripted(['taken', 'EPIPE', 'EPIPE']);
  write('a', 'b', 'c', 'd', 'e');
  expect(stream.taken).toEqual(['a', 'd', 'lost 2', 'e']);
});

it('counts on when the line that says so is lost too', () => {
  const { stream, write } = scripted(['EPIPE', 'EPIPE', 'taken', 'EPIPE', 'EPIPE', 'taken']);
  write('a', 'b', 'c', 'd', 'e');
  expect(stream.taken).toEqual(['c', 'e', 'lost 3']);
});

it('keeps a mebibyte and a line for a reader that hangs, and no more', () => {
  const { stream, write } = scripted(Array<Outcome>(40).fill('hangs'));
  const line = 'x'.repeat(2 ** 16);
  write(...Array<string>(40).fill(line));
  expect(stream.writableLength).toBe(2 ** 20 + 2 ** 16);
  for (const take of stream.hanging.splice(0)) take();
  for (const take of stream.hanging) take();
  expect(stream.taken).toEqual([...Array<string>(17).fill(line), `lost ${40 - 17}`]);
});

it('waits until what was written is out, and not for a reader that went', async () => {
  const stream = new Scripted(['hangs', 'EPIPE']);
  let isOut = false;
  const out = written(stream as unknown as Writable).then(() => (isOut = true));
  await Promise.resolve();
  expect(isOut).toBe(false);
  stream.hanging[0]?.();
  await out;
  await expect(written(stream as unknown as Writable)).resolves.toBeUndefined();
});
