import type http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Pool } from '../../src/http/pool.ts';
import { send, type HttpWay } from '../../src/http/send.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { WatchedClock } from '../base/watched-clock.ts';
import { deferred } from '../helpers/deferred.ts';
import { get, NO_ANSWER, serving, way } from './http-server.ts';

describe('the body of an answer', () => {
  it('comes piece by piece, and the connection is used again after it', async () => {
    const ports = new Set<number | undefined>();
    const url = await serving((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('0123456789');
    });
    const again = way();
    for (let times = 0; times < 3; times++) {
      expect(String(await buffer((await send(get(url), again)).body))).toBe('0123456789');
    }
    expect(ports.size).toBe(1);
  });

  it('that has ended is past any abort, whose signal no connection keeps', async () => {
    const url = await serving((_, response) => void response.end('0123456789'));
    const pool = new Pool();
    onTestFinished(() => pool.close());
    for (let times = 0; times < 20; times++) {
      const giveUp = new AbortController();
      const { body, incoming } = await send(get(url), way({ pool, signal: giveUp.signal }));
      // In the same tick: an error without a listener would end this process.
      incoming.once('end', () => giveUp.abort(new Error('the agent stops')));
      await buffer(body).catch(() => undefined);
    }
    expect((await send(get(url), way({ pool }))).status).toBe(200);
  });

  it('that is cut off is no complete answer', async () => {
    const url = await serving((_, response) => {
      response.writeHead(200, { 'Content-Length': 500_000 });
      response.write(Buffer.alloc(1000), () => response.destroy());
    });
    const read = buffer((await send(get(url), way())).body);
    await expect(read).rejects.toMatchObject({ ...NO_ANSWER, cause: { code: 'ECONNRESET' } });
  });

  /** An answer that says half of what it announces, and when its connection has ended. */
  async function half(change: Partial<HttpWay> = {}) {
    const closed = deferred();
    const url = await serving((_, response) => {
      response.once('close', () => closed.resolve());
      response.writeHead(200, { 'Content-Length': 10 }).write('01234');
    });
    return { ...(await send(get(url), way(change))), closed: closed.promise };
  }

  it('that stops coming is given up, and its connection ends', async () => {
    const clock = new ManualClock();
    const { body, closed } = await half({ clock, silenceMs: 5_000 });
    expect(String((await body.next()).value)).toBe('01234');
    const more = body.next();
    more.catch(() => undefined);
    await clock.advance(5_000);
    await expect(more).rejects.toThrow('only 5 bytes in 5 s');
    await closed;
  });

  it('that comes by the byte is given up too', async () => {
    const clock = new WatchedClock();
    const said: http.ServerResponse[] = [];
    const url = await serving((_, response) => {
      response.writeHead(200, { 'Content-Length': 1_000_000 }).flushHeaders();
      said.push(response);
    });
    const { body } = await send(get(url), way({ clock }));
    for (let bytes = 1; bytes <= 3; bytes++) {
      const next = body.next();
      await clock.untilWaiting();
      await clock.advance(19_000);
      said[0]?.write('x');
      expect((await next).value).toHaveLength(1);
    }
    const next = body.next();
    next.catch(() => undefined);
    await clock.advance(3_000);
    await expect(next).rejects.toThrow('only 3 bytes in 60 s');
  });

  it('gets the time for the next 64 KiB when they have come; that of its reader is free', async () => {
    const clock = new WatchedClock();
    const said: http.ServerResponse[] = [];
    const url = await serving((_, response) => {
      response.writeHead(200, { 'Content-Length': 1_000_000 }).flushHeaders();
      said.push(response);
    });
    const { body } = await send(get(url), way({ clock }));
    for (let times = 0; times < 3; times++) {
      let bytes = 0;
      const first = body.next();
      await clock.untilWaiting();
      await clock.advance(50_000);
      said[0]?.write(Buffer.alloc(64 * 1024));
      bytes += (await first).value?.length ?? 0;
      while (bytes < 64 * 1024) bytes += (await body.next()).value?.length ?? 0;
      await clock.advance(600_000);
    }
    await body.return();
  });

  it('that is not read to its end ends the connection', async () => {
    const { body, closed } = await half();
    for await (const piece of body) {
      expect(piece.length).toBe(5);
      break;
    }
    await closed;
  });
});
