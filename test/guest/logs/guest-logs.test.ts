import { describe, expect, it } from 'vitest';
import { RpcFailure } from '../../../src/oslo/failure.ts';
import { asked, CONTAINER, logsLab, METAFILE, PREFIX, wallClock } from './lab.ts';
import { md5Of } from './lines.ts';

const PUBLISH = asked({ publish: true });

/** The class and text of a failure. */
async function refusal(call: Promise<unknown>): Promise<[string, string]> {
  const failure: unknown = await call.catch((error: unknown) => error);
  if (!(failure instanceof RpcFailure)) throw new Error(`no failure: ${String(failure)}`);
  return [failure.exceptionClass, failure.message];
}

describe('a log', () => {
  it("is shown as Trove's own agent shows one", async () => {
    const { logs, context, write } = await logsLab();
    expect(await logs.act(asked(), context)).toEqual({
      name: 'chmpx',
      type: 'USER',
      status: 'Enabled',
      published: 0,
      pending: 0,
      container: 'None',
      prefix: 'None',
      metafile: METAFILE,
    });
    await write('one\ntwo\n');
    expect(await logs.act(asked(), context)).toMatchObject({ status: 'Ready', pending: 8 });
    expect(await logs.act(PUBLISH, context)).toMatchObject({
      status: 'Published',
      published: 8,
      pending: 0,
      container: CONTAINER,
      prefix: PREFIX,
    });
    await write('three\n');
    expect(await logs.act(asked(), context)).toMatchObject({
      status: 'Partial',
      published: 8,
      pending: 6,
    });
  });

  it('is published in whole lines, with the headers and the metafile that Trove has', async () => {
    const { logs, context, write, inSwift, swift } = await logsLab();
    await write('1 is a line\n2 is one\n3 with é\n');
    await logs.act(PUBLISH, context);
    expect(inSwift()).toEqual(['1 is a line\n', '2 is one\n3 with é\n']);
    const [, second] = [...swift.objects].filter(([name]) => name.includes('/log-'));
    expect(second?.[0]).toMatch(
      /^database_logs\/g-1\/k2hdkc-chmpx\/log-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/,
    );
    expect(second?.[1].headers).toMatchObject({
      'x-delete-after': '3600',
      'x-object-meta-lines': '2',
    });
    const metafile = swift.objects.get(`${CONTAINER}/${METAFILE}`);
    expect(metafile?.headers).toMatchObject({ 'x-delete-after': '3600' });
    expect(JSON.parse(metafile?.body.toString() ?? '')).toMatchObject({
      log_name: 'chmpx',
      log_type: 'USER',
      log_file: expect.stringMatching(/chmpx\.out$/) as string,
      log_size: 31,
      log_header_digest: md5Of('1 is a line\n'),
    });
  });

  it('is removed with its metafile, and then published from its first line again', async () => {
    const { logs, context, write, inSwift, swift } = await logsLab();
    await write('one\n');
    await logs.act(PUBLISH, context);
    await write('x\n', 'k2hdkc');
    await logs.act(asked({ log_name: 'k2hdkc', publish: true }), context);
    expect(await logs.act(asked({ discard: true }), context)).toMatchObject({
      status: 'Ready',
      published: 0,
      pending: 4,
      container: 'None',
    });
    expect([...swift.objects.keys()].filter((name) => !name.includes('k2hdkc-k2hdkc'))).toEqual([]);
    await write('two\n');
    await logs.act(asked({ discard: true, publish: true }), context);
    expect(inSwift()).toEqual(['one\ntwo\n']);
    expect(inSwift('g-1/k2hdkc-k2hdkc/')).toEqual(['x\n']);
  });

  it('is enabled or not, also for the next agent; publishing enables it', async () => {
    const { logs, context, agent, write } = await logsLab();
    await write('one\n');
    expect((await logs.act(asked({ disable: true }), context)).status).toBe('Disabled');
    const next = await agent();
    expect((await next.act(asked(), context)).status).toBe('Disabled');
    expect((await next.act(asked({ publish: true, disable: true }), context)).status).toBe(
      'Disabled',
    );
    expect((await next.act(asked({ enable: true }), context)).status).toBe('Published');
    await next.act(asked({ disable: true }), context);
    expect((await next.act(PUBLISH, context)).status).toBe('Published');
  });

  it('is no longer in Swift when it has expired there; what comes later is', async () => {
    let now = Date.UTC(2026, 0, 1);
    const { logs, context, write } = await logsLab({ clock: wallClock(() => now) });
    await write('one\n');
    await logs.act(PUBLISH, context);
    now += 3_600_000;
    expect(await logs.act(asked(), context)).toMatchObject({
      status: 'Published',
      published: 4,
      container: 'None',
      prefix: 'None',
    });
    await write('two\n');
    expect(await logs.act(PUBLISH, context)).toMatchObject({ published: 8, prefix: PREFIX });
  });

  it('that nothing keeps is not available, and the others are shown', async () => {
    const { logs, context, write } = await logsLab();
    await write('one\n');
    const all = await logs.list({ ...context, is_admin: true });
    expect(all.map(({ name, type, status }) => [name, type, status])).toEqual([
      ['agent', 'SYS', 'Unavailable'],
      ['chmpx', 'USER', 'Ready'],
      ['k2hdkc', 'USER', 'Enabled'],
    ]);
    const publish = asked({ log_name: 'agent', publish: true });
    expect(await refusal(logs.act(publish, { ...context, is_admin: true }))).toEqual([
      'GuestError',
      'the log agent cannot be published: the agent writes it neither to the journal nor to a file',
    ]);
  });

  it('is published once by two calls at the same time', async () => {
    const { logs, context, write, inSwift } = await logsLab();
    await write('one\ntwo\n');
    const both = await Promise.all([logs.act(PUBLISH, context), logs.act(PUBLISH, context)]);
    expect(both.at(-1)).toMatchObject({ status: 'Published', published: 8 });
    expect(inSwift()).toEqual(['one\ntwo\n']);
  });

  it('has no secret when it leaves, whoever wrote it there', async () => {
    const { logs, context, write, inSwift, secrets, options } = await logsLab();
    options.limitBytes = 10_000;
    secrets.add('configuration', 'instance-key-canary');
    secrets.add('role', 'http://k2hr3/extdata/canary?a=b&c="d"');
    await write('key instance-key-canary\nurl http://k2hr3/extdata/canary?a=b&c="d"\n');
    await write('json "http://k2hr3/extdata/canary?a=b&c=\\"d\\""\n');
    await write(`token ${context.auth_token} of who asks\n`);
    await logs.act(PUBLISH, context);
    expect(inSwift()).toEqual([
      'key [secret]\nurl [secret]\njson "[secret]"\ntoken [secret] of who asks\n',
    ]);
  });
});

describe('who may not see a log', () => {
  it('gets no list of it, and is refused', async () => {
    const { logs, context } = await logsLab();
    const names = (await logs.list(context)).map(({ name }) => name);
    expect(names).toEqual(['chmpx', 'k2hdkc']);
    expect(await refusal((async () => logs.act(asked({ log_name: 'agent' }), context))())).toEqual([
      'LogAccessForbidden',
      "You must be admin to show log 'agent'.",
    ]);
  });

  it('is nobody when all are exposed', async () => {
    const { logs, context, options } = await logsLab();
    options.exposed = ['all'];
    expect(await logs.list(context)).toHaveLength(3);
    options.exposed = [];
    expect(await logs.list(context)).toEqual([]);
  });
});

describe('what makes no sense is refused:', () => {
  it.each([
    [{ log_name: 'mysql' }, 'NotFound', "Log 'mysql' is not defined."],
    [{ enable: true, disable: true }, 'BadRequest', "Cannot enable and disable log 'chmpx'."],
    [{ log_name: 'agent', enable: true }, 'BadRequest', "Cannot enable a SYSTEM log ('agent')."],
    [{ log_name: 'agent', disable: true }, 'BadRequest', "Cannot disable a SYSTEM log ('agent')."],
  ])('%j', async (what, kind, text) => {
    const { logs, context, swift } = await logsLab();
    const admin = { ...context, is_admin: true };
    expect(await refusal((async () => logs.act(asked(what), admin))())).toEqual([kind, text]);
    expect(swift.calls).toEqual([]);
  });

  it('a request without a token', async () => {
    const { logs } = await logsLab();
    const [kind, text] = await refusal(logs.act(PUBLISH, { project_id: 'test' }));
    expect(kind).toBe('GuestError');
    expect(text).toContain('no auth_token');
  });
});

it('each project has the log in its own account', async () => {
  const { logs, context, write, inSwift, swift } = await logsLab();
  await write('one\n');
  await logs.act(PUBLISH, context);
  swift.fault = ({ url }, response) => {
    if (url?.includes('/AUTH_other/') !== true) return undefined;
    response.writeHead(404).end();
    return 'taken';
  };
  const other = { ...context, project_id: 'other' };
  expect(await logs.act(asked(), other)).toMatchObject({ published: 0, pending: 4 });
  expect(await logs.act(asked(), context)).toMatchObject({ published: 4 });
  expect(inSwift()).toEqual(['one\n']);
});
