import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Backoff } from '../../src/base/backoff.ts';
import { Outbox } from '../../src/guest/report/outbox.ts';
import {
  heartbeat,
  notifyEnd,
  notifyExcInfo,
  updateBackup,
  type ConductorMessage,
} from '../../src/trove/conductor-messages.ts';
import type { JsonObject } from '../../src/trove/json.ts';
import { WatchedClock } from '../base/watched-clock.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';

const poison: ConductorMessage = { method: 'notify_end', args: { poison: true }, context: {} };
const good: ConductorMessage = { method: 'notify_end', args: {}, context: {} };

/** An outbox whose broker refuses what is poison, as it does what is too large (406). */
async function bench(state?: string) {
  const stateDirectory = state ?? (await temporaryDirectory());
  const clock = new WatchedClock();
  const { log, lines } = recordingLog('warn');
  const sent: string[] = [];
  const outbox = await Outbox.open({
    stateDirectory,
    send: ({ method, args }) => {
      sent.push(args['poison'] === true ? 'poison' : method);
      if (args['poison'] === true) return Promise.reject(new Error('406 (PRECONDITION-FAILED)'));
      return Promise.resolve('confirmed');
    },
    repeatMs: 15_000,
    nextSent: () => 1,
    clock,
    backoff: new Backoff({ first: 250, cap: 5_000, jitter: 0 }, () => 0.5),
    log,
  });
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  onTestFinished(async () => {
    ending.abort();
    await running;
  });
  const files = (folder = ''): Promise<string[]> =>
    readdir(path.join(stateDirectory, 'outbox', folder));
  const run = (): void => void (running = outbox.run(ending.signal));
  return { outbox, clock, lines, sent, files, run, stateDirectory };
}

describe('a message that the broker refuses', () => {
  it('is tried five times, put aside with one error and a concern, and holds up none', async () => {
    const { outbox, clock, lines, sent, files, run } = await bench();
    await outbox.postDurable('1', poison);
    await outbox.postDurable('2', good);
    run();
    await until('it is put aside', async () => {
      await clock.advance(5_000);
      return sent.includes('notify_end');
    });
    await until('the other is gone from the disk', async () => (await files()).length === 1);
    expect(sent.filter((name) => name === 'poison')).toHaveLength(5);
    expect(await files('refused')).toEqual(['00000001-1.json']);
    expect(lines.filter(({ level }) => level === 50)).toHaveLength(1);
    expect(outbox.concerns).toMatchObject([{ kind: 'not-reported' }]);
  });

  it('stands before no status, however long it is tried', async () => {
    const { outbox, clock, sent, run } = await bench();
    await outbox.postDurable('1', poison);
    run();
    await until('it was tried', () => sent.length === 1);
    outbox.postStatus(heartbeat('i', 'healthy'));
    await clock.advance(0);
    await until('the status is sent', () => sent.length >= 2);
    expect(sent.slice(0, 2)).toEqual(['poison', 'heartbeat']);
  });

  it('a hundred times in a minute has ten lines of each kind, and the rest is counted', async () => {
    const { outbox, clock, lines, sent, run } = await bench();
    for (let n = 0; n < 20; n++) await outbox.postDurable(String(n), poison);
    run();
    await until('all were refused five times', () => {
      outbox.connected(); // it does not wait for its next retry
      return outbox.concerns[0]?.text.includes(' 20 events');
    });
    expect(sent).toHaveLength(100);
    const refused = (): unknown[] => lines.filter(({ msg }) => String(msg).endsWith('was refused'));
    expect(refused()).toHaveLength(10);
    expect(lines).toHaveLength(20);
    await clock.advance(60_000);
    expect(refused().at(-1)).toMatchObject({ more: 90, inAll: 100 });
  });

  it('is not sent by the next agent', async () => {
    const state = await temporaryDirectory();
    await mkdir(path.join(state, 'outbox/refused'), { recursive: true });
    await writeFile(path.join(state, 'outbox/refused/00000001-1.json'), JSON.stringify(good));
    const { clock, sent, run } = await bench(state);
    run();
    await clock.untilWaiting();
    expect(sent).toEqual([]);
  });
});

describe('a file of the outbox', () => {
  it.each([
    ['00000001-a.json', '{}'],
    ['00000001-a.json', 'null'],
    ['00000001-a.json', '[]'],
    ['00000001-a.json', '"text"'],
    ['00000001-a.json', ''],
    ['00000001-a.json', '{"method":"heartbeat","args":[],"context":{}}'],
    ['00000001-a.json', '{"method":"heartbeat","args":{},"context":null}'],
    ['00000001-a.json', '{"method":"rm","args":{},"context":{}}'],
    ['00000001-%E0%A4%A.json', JSON.stringify(good)],
    ['a.json', JSON.stringify(good)],
    ['99999999999999999999-a.json', JSON.stringify(good)],
  ])('%s with %s is put aside, and costs nothing else', async (name, content) => {
    const state = await temporaryDirectory();
    await mkdir(path.join(state, 'outbox'));
    await writeFile(path.join(state, 'outbox', name), content);
    const { outbox, clock, sent, files, run, lines } = await bench(state);
    await outbox.postDurable('z', good);
    run();
    await clock.untilWaiting(2);
    expect(sent).toEqual(['notify_end']);
    expect(await files('refused')).toEqual([name]);
    expect(lines).toHaveLength(1);
  });

  it('that is a directory is put aside too', async () => {
    const state = await temporaryDirectory();
    await mkdir(path.join(state, 'outbox/00000001-a.json/b'), { recursive: true });
    const { files } = await bench(state);
    expect(await files('refused')).toEqual(['00000001-a.json']);
  });

  it('of which there are thousands fills no log', async () => {
    const state = await temporaryDirectory();
    await mkdir(path.join(state, 'outbox'));
    for (let n = 1_000; n < 3_000; n++)
      await writeFile(path.join(state, `outbox/${n}-a.json`), '{}');
    const { lines, clock, outbox } = await bench(state);
    expect(lines).toHaveLength(10);
    await clock.advance(60_000);
    expect(lines.slice(10)).toMatchObject([{ level: 50, more: 1_990, inAll: 2_000 }]);
    expect(outbox.concerns[0]?.text).toContain('2000 events');
  });

  it('does not stay for ever once it is put aside', async () => {
    const state = await temporaryDirectory();
    await mkdir(path.join(state, 'outbox'));
    for (let n = 100; n < 130; n++) await writeFile(path.join(state, `outbox/${n}-a.json`), '{}');
    const { files } = await bench(state);
    const left = await files('refused');
    expect(left).toHaveLength(20);
    expect(left).toContain('129-a.json');
  });
});

describe('more messages than anybody needs', () => {
  it('push out the oldest', async () => {
    const { outbox, files } = await bench();
    for (let n = 0; n < 1_010; n++) await outbox.postDurable(String(n), good);
    expect((await files()).filter((name) => name.endsWith('.json'))).toHaveLength(1_000);
  });
});

describe('the context of a request', () => {
  const large = { trove_notification: { a: 1 }, request_id: 'r'.repeat(300_000) };
  const usual = { trove_notification: { a: 1 }, request_id: 'r'.repeat(5_000) };

  it('is not sent back when it is larger than any of Trove', () => {
    expect(notifyEnd(large, 'i')).toBeNull();
    expect(notifyExcInfo(large, 'i', 'no', [])).toBeNull();
    expect(updateBackup(large, 'i', 'b', { state: 'FAILED' }).context).toEqual({});
  });

  it('is not sent back when it is deeper than JSON can be written', () => {
    const depth = 100_000;
    const deep = JSON.parse(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`) as JsonObject;
    const context = { ...deep, trove_notification: { a: 1 } };
    expect(notifyEnd(context, 'i')).toBeNull();
    expect(updateBackup(context, 'i', 'b', { state: 'FAILED' }).context).toEqual({});
  });

  it('is when it is not', () => {
    expect(notifyEnd(usual, 'i')?.context['request_id']).toBe(usual.request_id);
    expect(updateBackup(usual, 'i', 'b', { state: 'FAILED' }).context).toEqual(usual);
  });
});
