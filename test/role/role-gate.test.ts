import { beforeEach, describe, expect, it } from 'vitest';
import type { ResolveName } from '../../src/host/resolve-name.ts';
import type { RoleDocument } from '../../src/role/role-document.ts';
import {
  DOUBT_MS,
  RoleGate,
  type RoleGateOptions,
  type Verdict,
} from '../../src/role/role-gate.ts';
import { iniOf } from '../ini/roles.ts';
import { desiredState } from '../node/builders.ts';
import { ManualClock } from '../base/manual-clock.ts';

const INI = iniOf();

/** The document of a role with these servers; `self` is this node. */
function documentOf(text: string): RoleDocument {
  if (text === 'bad') throw new Error('cannot be used');
  const servers = text.split(',');
  const ini = servers.includes('self') ? { ...INI, text } : null;
  const neighbours = servers
    .filter((name) => ini !== null && name !== 'self')
    .map((name) => ({ name, controlPort: 8021, before: false }));
  const none = { dataDirectory: null, k2h: null, roleFile: `/of/${text}` };
  return { ini, servers, neighbours, cuks: new Set(servers), ...none };
}

const known: ResolveName = () => Promise.resolve(['192.0.2.1']);
let clock: ManualClock;
let gate: RoleGate;
let asked: string[];

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
  gate = gateWith(known);
});

function gateWith(
  resolve: ResolveName,
  loopback = false,
  more: Partial<RoleGateOptions> = {},
): RoleGate {
  return new RoleGate({
    ...more,
    parse: documentOf,
    loopback,
    resolve: (name) => {
      asked.push(name);
      return resolve(name);
    },
    whyOutside: (file) => Promise.resolve(file === '/of/away' ? 'it leads away' : null),
    clock,
  });
}

const judge = (text: string, last: string | null): Promise<Verdict> =>
  gate.judge(text, desiredState(), last === null ? null : documentOf(last));

describe('a role resource', () => {
  it('that cannot be used is refused with the reason', async () => {
    await expect(judge('bad', null)).rejects.toThrow('cannot be used');
  });

  it.each([
    ['the first of all', 'other', null],
    ['the same again', 'self,a', 'self,a'],
    ['with more servers', 'self,a,b,c,d', 'self,a'],
    ['without one server', 'self,a', 'self,a,b'],
    ['with another server in the place of one', 'self,a,c', 'self,a,b'],
    ['without this node, as the one before', 'a', 'a,b'],
  ])('%s, is good', async (_, text, last) => {
    expect(await judge(text, last)).toEqual({ kind: 'good', document: documentOf(text) });
  });

  it.each([
    ['without two servers', 'self,a', 'self,a,b,c', '2 servers are gone at once'],
    ['with two others in their place', 'self,d,e', 'self,b,c', '2 servers are gone at once'],
    ['without this node', 'a', 'self,a', 'this node is missing'],
  ])('%s, is doubtful', async (_, text, last, why) => {
    expect(await judge(text, last)).toEqual({ kind: 'doubtful', why });
  });
});

describe('a doubtful one', () => {
  it('is believed when it is the same after a while, and not earlier', async () => {
    expect(await judge('self', 'self,a,b')).toMatchObject({ kind: 'doubtful' });
    await clock.advance(DOUBT_MS - 1);
    expect(await judge('self', 'self,a,b')).toMatchObject({ kind: 'doubtful' });
    await clock.advance(1);
    expect(await judge('self', 'self,a,b')).toMatchObject({ kind: 'good' });
  });

  it('is doubted from the start when it is another one', async () => {
    await judge('self', 'self,a,b,c');
    await clock.advance(DOUBT_MS);
    expect(await judge('self,a', 'self,a,b,c')).toMatchObject({ kind: 'doubtful' });
    expect(await judge('self', 'self,a,b,c')).toMatchObject({ kind: 'doubtful' });
  });

  it('is doubted from the start when a good one came in between', async () => {
    await judge('self', 'self,a,b');
    await judge('self,a,b', 'self,a,b');
    await clock.advance(DOUBT_MS);
    expect(await judge('self', 'self,a,b')).toMatchObject({ kind: 'doubtful' });
  });
});

it('whose data file is elsewhere by the links of this VM is refused', async () => {
  await expect(judge('away', null)).rejects.toMatchObject({
    name: 'RoleRefusedError',
    message: 'the role resource is refused: [K2HDKC] K2HFILE: it leads away',
  });
});

describe('the names of its servers', () => {
  it('are resolved unless the ring had them before', async () => {
    await judge('self,a,b', 'self,a');
    expect(asked).toEqual(['b']);
  });

  it.each([
    ['are nowhere', () => Promise.resolve([])],
    ['cannot be asked about', () => Promise.reject(new Error('EAI_AGAIN'))],
  ])('that %s refuse it', async (_, resolve) => {
    gate = gateWith((name) => (name === 'lost' ? resolve() : known(name)));
    await expect(judge('self,lost', null)).rejects.toMatchObject({
      name: 'RoleRefusedError',
      retryable: true,
      message:
        'the role resource is refused: [SVRNODE] NAME lost cannot be resolved: put it into DNS, or take its host out of the role',
    });
    expect(await judge('self,lost', 'self,lost'), 'known ones may go').toMatchObject({
      kind: 'good',
    });
  });

  it('that lead to another network than the ring’s refuse it, the ring’s own before', async () => {
    const whyMisplaced = (name: string, addresses: readonly string[], isSelf: boolean) =>
      Promise.resolve(
        name === 'a' ? null : `${name} at ${addresses.join()}${isSelf ? ' (self)' : ''}`,
      );
    gate = gateWith(known, false, { whyMisplaced });
    await expect(judge('self,a,b', 'a')).rejects.toMatchObject({
      name: 'RoleRefusedError',
      message:
        'the role resource is refused: [SVRNODE] self at 192.0.2.1 (self) (and 1 more): correct DNS or /etc/hosts, node.network of this VM, or what that VM has registered',
    });
    expect(await judge('self,a,b', 'self,a,b'), 'a ring that has them').toMatchObject({
      kind: 'good',
    });
  });

  it('are not all asked for when DNS is away', async () => {
    gate = gateWith(() => Promise.resolve([]));
    await expect(judge('self,a,b,c,d,e', null)).rejects.toThrow('NAME self, a, b cannot be');
    expect(asked).toEqual(['self', 'a', 'b']);
  });

  it('are not waited for without end', async () => {
    gate = gateWith(() => new Promise(() => undefined));
    const judged = judge('self', null).catch((error: unknown) => error);
    await clock.advance(5_000);
    expect(await judged).toMatchObject({ name: 'RoleRefusedError' });
  });
});
