import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Unfinished } from '../../../src/base/errors.ts';
import type { MemorySwift } from '../../backup/swift/memory-swift.ts';
import { asked, CONTAINER, logsLab, METAFILE } from './lab.ts';

const PUBLISH = asked({ publish: true });
const LINES = Array.from({ length: 9 }, (_, n) => `line ${n}\n`);

/** Refuses the calls that match, but for the first so many. */
function refuse(swift: MemorySwift, calls: RegExp, skip = 0): void {
  swift.containers.add(CONTAINER);
  let seen = 0;
  swift.fault = (request, response) => {
    if (!calls.test(`${request.method ?? ''} ${request.url ?? ''}`)) return undefined;
    if (seen++ < skip) return undefined;
    response.writeHead(403).end();
    return 'taken';
  };
}

describe('when Swift fails in the middle', () => {
  it.each([0, 1, 2, 3, 4])('at object %i, nothing is lost and nothing sent twice', async (nth) => {
    const { logs, context, write, inSwift, swift, agent } = await logsLab();
    await write(LINES.join(''));
    refuse(swift, /^PUT .*log-/, nth);
    await expect(logs.act(PUBLISH, context)).rejects.toThrow('403');
    expect(inSwift().join('')).toBe(LINES.slice(0, 2 * nth).join(''));
    swift.fault = () => undefined;
    await write('later\n');
    const next = await agent();
    expect(await next.act(PUBLISH, context)).toMatchObject({ status: 'Published', published: 69 });
    expect(inSwift().join('')).toBe(`${LINES.join('')}later\n`);
  });

  it('after it has stored an object whose answer is lost, the object counts', async () => {
    const { logs, context, write, inSwift, swift, agent, file } = await logsLab();
    await write(LINES.join(''));
    swift.containers.add(CONTAINER);
    swift.fault = (request, response) => {
      if (!/PUT .*log-/.test(`${request.method ?? ''} ${request.url ?? ''}`)) return undefined;
      response.writeHead = () => {
        response.destroy();
        return response;
      };
      return undefined;
    };
    await expect(logs.act(PUBLISH, context)).rejects.toThrow('no complete answer');
    expect(inSwift()).toEqual([LINES.slice(0, 2).join('')]);
    swift.fault = () => undefined;
    // What was sent cannot be read again.
    await rm(file('chmpx'));
    await writeFile(file('chmpx'), 'another file\n');
    const before = swift.calls.length;
    await (await agent()).act(PUBLISH, context);
    expect(inSwift()).toEqual([LINES.slice(0, 2).join(''), 'another file\n']);
    const puts = swift.calls.slice(before).filter((call) => /^PUT .*log-/.test(call));
    expect(puts).toHaveLength(1);
  });

  it('the same bytes of the log go out again under the same name', async () => {
    const { logs, context, write, inSwift, swift, agent, secrets } = await logsLab();
    await write('1\n2\n');
    refuse(swift, /^PUT .*log-/);
    await expect(logs.act(PUBLISH, context)).rejects.toThrow();
    swift.fault = () => undefined;
    await write('33333333\n');
    secrets.add('job', '33333333');
    await (await agent()).act(PUBLISH, context);
    expect(inSwift()).toEqual(['1\n2\n', '[secret]\n']);
    const names = swift.calls.filter((call) => /^PUT .*log-/.test(call));
    expect(new Set(names).size).toBe(2);
    expect(names[0]).toBe(names[1]);
  });

  it('a metafile that did not arrive is written next time, also with nothing new', async () => {
    const { logs, context, write, inSwift, swift, agent } = await logsLab();
    await write('one\n');
    refuse(swift, /^PUT .*_metafile/);
    await expect(logs.act(PUBLISH, context)).rejects.toThrow('403');
    expect(swift.objects.has(`${CONTAINER}/${METAFILE}`)).toBe(false);
    swift.fault = () => undefined;
    expect(await (await agent()).act(PUBLISH, context)).toMatchObject({ published: 4 });
    expect(inSwift()).toEqual(['one\n']);
    expect(swift.objects.has(`${CONTAINER}/${METAFILE}`)).toBe(true);
  });

  it('a failure that passes is borne', async () => {
    const { logs, context, write, inSwift, swift } = await logsLab();
    await write('one\n');
    let left = 3;
    swift.fault = (request, response) => {
      if (request.method !== 'PUT' || left-- <= 0) return undefined;
      response.writeHead(503).end();
      return 'taken';
    };
    await logs.act(PUBLISH, context);
    expect(inSwift()).toEqual(['one\n']);
  });

  it('a removal that has begun is ended by the next publishing', async () => {
    const { logs, context, write, inSwift, swift, agent } = await logsLab();
    await write(LINES.join(''));
    await logs.act(PUBLISH, context);
    refuse(swift, /^DELETE /, 2);
    await expect(logs.act(asked({ discard: true }), context)).rejects.toThrow('403');
    expect(inSwift()).not.toEqual([]);
    const next = await agent();
    expect(await next.act(asked(), context)).toMatchObject({ status: 'Ready', published: 0 });
    swift.fault = () => undefined;
    await next.act(PUBLISH, context);
    expect(inSwift().join('')).toBe(LINES.join(''));
  });

  it('that took the bytes and says another checksum, it is not believed', async () => {
    const { logs, context, write, swift } = await logsLab();
    await write('one\n');
    swift.fault = (request, response) => {
      if (!/log-/.test(request.url ?? '')) return undefined;
      request.resume();
      response.writeHead(201, { Etag: 'another' }).end();
      return 'taken';
    };
    await expect(logs.act(PUBLISH, context)).rejects.toThrow('has the checksum another');
    swift.fault = () => undefined;
    expect(await logs.act(asked(), context)).toMatchObject({ status: 'Ready', published: 0 });
  });
});

describe('an agent that has lost its state directory', () => {
  it('goes on where the metafile says', async () => {
    const { logs, context, write, inSwift, agent, state } = await logsLab();
    await write('one\n');
    await logs.act(PUBLISH, context);
    await rm(path.join(state, 'guest-logs.json'));
    await write('two\n');
    const next = await agent();
    expect(await next.act(asked(), context)).toMatchObject({ published: 4, pending: 4 });
    await next.act(PUBLISH, context);
    expect(inSwift()).toEqual(['one\n', 'two\n']);
  });

  it('publishes from the beginning when the metafile is none of ours, and says so', async () => {
    const { logs, context, write, inSwift, swift, texts } = await logsLab();
    swift.containers.add(CONTAINER);
    const body = Buffer.from('{"log_size": 5}');
    swift.objects.set(`${CONTAINER}/${METAFILE}`, { body, etag: 'x', isSlo: false, headers: {} });
    await write('one\n');
    await logs.act(PUBLISH, context);
    expect(inSwift()).toEqual(['one\n']);
    expect(texts.some((text) => text.includes('a metafile that is not of this agent'))).toBe(true);
  });
});

it('a container is made when there is none, and only then', async () => {
  const { logs, context, write, swift } = await logsLab();
  await write('one\n');
  await logs.act(PUBLISH, context);
  await write('two\n');
  await logs.act(PUBLISH, context);
  expect(swift.calls.filter((call) => call === `PUT /v1/AUTH_test/${CONTAINER}`)).toHaveLength(1);
});

it('another container of the configuration gets the log from its beginning', async () => {
  const { logs, context, write, agent, swift, options } = await logsLab();
  await write('one\n');
  await logs.act(PUBLISH, context);
  const next = await agent({ options: { ...options, container: 'elsewhere' } });
  expect(await next.act(PUBLISH, context)).toMatchObject({ container: 'elsewhere', published: 4 });
  expect([...swift.containers]).toEqual([CONTAINER, 'elsewhere']);
});

describe('a publishing that takes long', () => {
  it('answers with what is done, and goes on with the next one', async () => {
    let now = 0;
    const clock = { ...systemClock, monotonic: () => now };
    const { logs, context, write, inSwift, swift } = await logsLab({ clock });
    await write(LINES.join(''));
    swift.containers.add(CONTAINER);
    swift.fault = (request) => {
      if (/log-/.test(request.url ?? '')) now += 60_000;
      return undefined;
    };
    expect(await logs.act(PUBLISH, context)).toMatchObject({ status: 'Partial', published: 28 });
    swift.fault = () => undefined;
    expect(await logs.act(PUBLISH, context)).toMatchObject({ status: 'Published', published: 63 });
    expect(inSwift().join('')).toBe(LINES.join(''));
  });

  it('is answered when Trove waits no longer', async () => {
    let late: () => void = () => undefined;
    const clock = {
      ...systemClock,
      after: (ms: number, run: () => void) => {
        if (ms !== 178_000) return systemClock.after(ms, run);
        late = run;
        return () => undefined;
      },
    };
    const { logs, context, write, swift } = await logsLab({ clock });
    await write('one\n');
    swift.fault = () => {
      late();
      return 'taken';
    };
    await expect(logs.act(PUBLISH, context)).rejects.toThrow('not done after 178 s');
  });

  it('is left to the next agent when this one ends', async () => {
    const ending = new AbortController();
    const { logs, context, write, swift } = await logsLab({ ending: ending.signal });
    await write('one\n');
    swift.fault = () => {
      ending.abort();
      return 'taken';
    };
    await expect(logs.act(PUBLISH, context)).rejects.toThrow(Unfinished);
  });
});
