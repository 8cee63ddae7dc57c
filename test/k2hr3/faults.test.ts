import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { until } from '../helpers/until.ts';
import { rawCall } from './raw-call.ts';
import { RoleNode, type RoleNodeOptions } from './role-node.ts';
import { startSubject } from './subject.ts';
import { Wire, type WireFault } from './wire.ts';

vi.setConfig({ testTimeout: 180_000 }); // a real K2HR3 whose backend hangs takes 10 to 19 s a call

const subject = await startSubject(process.env);
let wire: Wire;
/** Every test has addresses of its own, so that a real K2HR3 can be used for all of them. */
let nextAddress = 20;
let registered: { address: string; cuk: string }[] = [];

afterAll(() => subject.stop());

beforeEach(async () => {
  wire = await Wire.start(subject.url);
  registered = [];
});
afterEach(async () => {
  await wire.stop();
  await subject.goOn();
  // A real K2HR3 can end when its backend comes back, and be started again by whoever runs it.
  for (const { address, cuk } of registered) {
    const isRemoved = (): Promise<boolean> => remove(address, cuk).then(isTrue, isFalse);
    await until(`${cuk} is removed`, isRemoved);
  }
});

const nameOfRole = (): string => `yrn:yahoo:::tenant0:role:${subject.cluster}/server`;

const isTrue = (): boolean => true;
const isFalse = (): boolean => false;

/** Takes a host out of the role, as anybody at its address can. */
async function remove(address: string, cuk: string): Promise<void> {
  const url = `${subject.url}/v1/role/${nameOfRole()}?cuk=${cuk}`;
  await rawCall({ method: 'DELETE', url, from: address });
}

async function isRegistered({ address, cuk }: { address: string; cuk: string }): Promise<boolean> {
  const url = `${subject.url}/v1/role/${nameOfRole()}?cuk=${cuk}`;
  const answer = await rawCall({ method: 'HEAD', url, from: address }).catch(() => null);
  return answer?.status === 204;
}

function newIdentity(): Pick<RoleNodeOptions, 'address' | 'cuk' | 'tag'> {
  const n = nextAddress++;
  const identity = { address: `127.0.0.${n}`, cuk: `cuk-${n}`, tag: `node${n}.novalocal` };
  registered.push(identity);
  return identity;
}

async function start(change: Partial<RoleNodeOptions> = {}): Promise<RoleNode> {
  const { cluster, extdataUrl, isReal } = subject;
  return RoleNode.start({
    ...newIdentity(),
    cluster,
    extdataUrl: extdataUrl.replace(subject.url, wire.url),
    totalTimeoutMs: isReal ? 30_000 : 5_000,
    ...change,
  });
}

/** A node that serves, and a check that nothing was done to it or for it since. */
async function serving(change: Partial<RoleNodeOptions> = {}) {
  const node = await start(change);
  const ini = await node.untilServing();
  const acts = node.acts.length;
  const writes = (): number => wire.count('PUT') + wire.count('DELETE');
  const written = writes();
  const isUntouched = async (): Promise<void> => {
    expect(node.acts.slice(acts)).toEqual([]);
    expect(writes()).toBe(written);
    expect(node.runs).toBe(true);
    expect(await node.ini()).toBe(ini);
  };
  return { node, isUntouched };
}

const untilGood = (node: RoleNode): Promise<boolean> =>
  until('the role is read again', () => node.role.view().problem === null);

interface Fault {
  name: string;
  fault: WireFault;
  problem: RegExp;
  totalTimeoutMs?: number;
}

const FAULTS: Fault[] = [
  { name: 'a connection that is reset', fault: { reset: true }, problem: /ECONNRESET/ },
  { name: 'the page of a proxy', fault: { htmlPage: true }, problem: /without "result": true/ },
  { name: 'a truncated body', fault: { truncate: true }, problem: /aborted|hang up/ },
  {
    name: 'an answer after 25 s',
    fault: { delayMs: 25_000 },
    problem: /no complete answer within 0\.4 s/,
    totalTimeoutMs: 400,
  },
  {
    name: 'a wrong body: the value of another read',
    fault: { wrongResource: 'mycluster' },
    problem: /refused: .*"mycluster" stands before the first section/,
  },
  {
    name: 'a wrong body: the keys of the resource',
    fault: { wrongResource: '{"chmpx-mode":"SERVER","cluster-name":"mycluster"}' },
    problem: /the role resource is refused/,
  },
  {
    name: 'a wrong body: not text',
    fault: { wrongResource: { string: '', object: null } },
    problem: /resource that is not text/,
  },
];

describe(`${subject.isReal ? 'a real K2HR3' : 'the stand-in'} gives`, () => {
  it.each(FAULTS)('$name: a node that serves is left alone', async (row) => {
    const { node, isUntouched } = await serving();
    wire.fault = row.fault;
    const late = row.totalTimeoutMs === undefined ? {} : { totalTimeoutMs: row.totalTimeoutMs };
    // The time limit belongs to the agent: the next one has a short one, and what this one kept.
    const next = row.totalTimeoutMs === undefined ? node : await successor(node, late);
    await next.untilProblem(row.problem);
    await isUntouched();
    wire.fault = {};
    await untilGood(next);
    await isUntouched();
  });

  it.each(FAULTS)('$name: a node that joins waits, and joins when it is over', async (row) => {
    wire.fault = { ...row.fault, ...(row.fault.delayMs ? { delayMs: 1_000 } : {}) };
    const late = row.totalTimeoutMs === undefined ? {} : { totalTimeoutMs: row.totalTimeoutMs };
    const node = await start(late);
    await until('it has tried', () => failures(node) >= 1);
    expect(await node.ini()).toBeUndefined();
    expect(node.runs).toBe(false);
    wire.fault = {};
    await node.untilServing();
  });
});

/** The next agent on the VM of a node, which has ended. */
async function successor(node: RoleNode, change: Partial<RoleNodeOptions>): Promise<RoleNode> {
  await node.stop();
  return start({ ...node.options, ...change, directory: node.directory, runs: true });
}

/** How often a step failed, or the role could not be read. */
function failures(node: RoleNode): number {
  return node.log.filter(({ level }) => level === 40).length;
}

describe('K2HR3 is', () => {
  it('down: a node that serves is left alone', async () => {
    const { node, isUntouched } = await serving();
    await wire.cut();
    await node.untilProblem(/ECONNREFUSED/);
    await isUntouched();
    await wire.connect();
    await untilGood(node);
    await isUntouched();
  });

  it('down: a node that joins waits, and joins when it is back', async () => {
    await wire.cut();
    const node = await start();
    await until('it has tried', () => failures(node) >= 1);
    await wire.connect();
    await node.untilServing();
  });

  it('started again: a node that serves is left alone', async () => {
    const { node, isUntouched } = await serving();
    const reads = wire.count('GET', 304);
    await subject.restart();
    await until('the role is read again', () => wire.count('GET', 304) > reads + 3);
    await untilGood(node);
    await isUntouched();
  });
});

describe('the backend of K2HR3 hangs', () => {
  it.each(subject.slowAnswers)('%s: a node that serves is left alone', async (kind) => {
    const { node, isUntouched } = await serving();
    await subject.hang(kind);
    await node.untilProblem(/status 40[14]|no complete answer/);
    await isUntouched();
    await subject.goOn();
    await untilGood(node);
    await isUntouched();
  });

  it('a node that joins waits, and joins when it is over', async () => {
    await subject.hang('token-not-existed');
    const node = await start();
    await until('it has tried', () => failures(node) >= 1, { seconds: 120 });
    expect(node.runs).toBe(false);
    await subject.goOn();
    await node.untilServing();
  });

  it('a node that leaves does not take a 403 for the truth', async () => {
    const { node } = await serving();
    await subject.hang('token-not-existed');
    await node.wish({ parameters: null });
    await until('it has tried to unregister', () => node.countOf('unregister') >= 2, {
      seconds: 120,
    });
    expect(node.desired.current.registration).not.toBeNull();
    await subject.goOn();
    await until('it is unregistered', () => node.desired.current.registration === null, {
      seconds: 120,
    });
    expect(await isRegistered(node.options)).toBe(false);
  });
});

describe('a registration', () => {
  it('that is lost is made again until it is there', async () => {
    wire.fault = { loseRegistrations: 3 };
    const node = await start();
    await node.untilServing();
    expect(wire.count('PUT', 201)).toBe(4);
    expect(await isRegistered(node.options)).toBe(true);
  });

  it('that others removed is made again, once', async () => {
    const { node } = await serving();
    const puts = wire.count('PUT');
    await remove(node.options.address, node.options.cuk);
    await until('it is registered again', () => isRegistered(node.options));
    await until('the ring holds it', () => node.role.view().ini !== null);
    const reads = wire.calls.length;
    await until('the role is read some more', () => wire.calls.length > reads + 20);
    expect(wire.count('PUT')).toBe(puts + 1);
    expect(node.runs).toBe(true);
  });

  it('is not made again while the ring cannot be read', async () => {
    const { node, isUntouched } = await serving();
    wire.fault = { wrongResource: '' };
    await remove(node.options.address, node.options.cuk);
    await node.untilProblem(/there is no \[GLOBAL\]/);
    await isUntouched();
    wire.fault = {};
    await until('it is registered again', () => isRegistered(node.options));
  });

  it('is made by many nodes at once', async () => {
    const nodes = await Promise.all(Array.from({ length: subject.isReal ? 20 : 6 }, () => start()));
    for (const node of nodes) await node.untilServing();
    const names = nodes.map(({ options }) => `NAME = ${options.tag}\n`);
    await until('every node knows all', async () => {
      const inis = await Promise.all(nodes.map((node) => node.ini()));
      return inis.every((ini) => names.every((name) => ini?.includes(name)));
    });
  });

  it('ends without a token', async () => {
    const { node } = await serving();
    await node.wish({ parameters: null });
    await until('it is unregistered', () => node.desired.current.registration === null);
    expect(await isRegistered(node.options)).toBe(false);
    expect(wire.count('DELETE', 204)).toBe(1);
  });
});
