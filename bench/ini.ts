import { availableParallelism, loadavg } from 'node:os';
import { forNode } from '../src/ini/model/model.ts';
import { parseRole } from '../src/ini/text/parse-role.ts';
import { renderIni } from '../src/ini/text/render.ts';
import { validateRole } from '../src/ini/model/validate.ts';
import { roleResource } from '../test/simulators/k2hr3/role-resource.ts';
import type { HostRecord } from '../test/simulators/k2hr3/store.ts';

const NODES = 1_000;
const ROUNDS = 30;
/** A role of so many nodes may take so much CPU time (ms). */
const GOAL_MS = 50;

/** `npm run bench:ini`: a ring of 1,000 nodes from the role's text to the ini on its way to disk. */
function main(): void {
  const before = roleText(NODES - 1);
  const after = roleText(NODES);
  const ini = rendered(before);
  const heap: number[] = [];
  const times: Record<string, number[]> = {
    parse: [],
    validate: [],
    render: [],
    all: [],
  };
  for (let round = 0; round < ROUNDS; round++) {
    global.gc?.();
    const heapBefore = process.memoryUsage().heapUsed;
    const marks = [cpuMs()];
    const model = parsed(after);
    marks.push(cpuMs());
    const problems = validateRole(model, EXPECTED);
    marks.push(cpuMs());
    const text = renderIni(forNode(model, CUK), { origin: 'a benchmark' });
    marks.push(cpuMs());
    if (problems.length > 0 || text === ini) throw new Error('the benchmark reads something else');
    heap.push((process.memoryUsage().heapUsed - heapBefore) / 2 ** 20);
    const steps = marks.slice(1).map((mark, n) => mark - (marks[n] ?? 0));
    ['parse', 'validate', 'render'].forEach((name, n) => times[name]?.push(steps[n] ?? 0));
    times['all']?.push((marks.at(-1) ?? 0) - (marks[0] ?? 0));
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(
    `a ring of ${NODES} nodes, ${Math.round(after.length / 1000)} kB, ${ROUNDS} rounds; CPU time in ms: shortest, median, longest`,
  );
  for (const [name, all] of Object.entries(times)) {
    const figures = [Math.min(...all), median(all), Math.max(...all)];
    say(`  ${name.padEnd(9)}${figures.map((ms) => ms.toFixed(1).padStart(7)).join('')}`);
  }
  say(
    `  heap, garbage included: ${median(heap).toFixed(1)} MiB; ` +
      `model and ini kept: ${kept(after).toFixed(1)} MiB`,
  );
  const best = Math.min(...(times['all'] ?? []));
  const load = `load ${loadavg()[0]?.toFixed(1) ?? '?'} on ${availableParallelism()} cores`;
  say(`the shortest is ${best < GOAL_MS ? '' : 'NOT '}under ${GOAL_MS} ms (${load})`);
}

/** CPU time of this process: the wall clock would tell who else works on this machine (ms). */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const CUK = cukOf(1);
const EXPECTED = { clusterName: 'mycluster', cuk: CUK, mode: 'server' as const };

function roleText(count: number): string {
  const hosts = Array.from({ length: count }, (_, n): HostRecord => ({
    ip: `10.0.${n >> 8}.${n & 255}`,
    port: 0,
    cuk: cukOf(n),
    extra: 'openstack-auto-v1',
    tag: `node${n}.novalocal`,
    inboundip: '',
    outboundip: '',
  }));
  const cluster = {
    cluster: 'mycluster',
    tenant: 'tenant0',
    serverPort: 8020,
    serverControlPort: 8021,
    slaveControlPort: 8031,
    k2hFile: '/var/lib/antpickax/k2hdkc/k2hdkc.k2h',
  };
  return roleResource(cluster, 'SERVER', hosts, []);
}

function cukOf(n: number): string {
  return `00000000-aaaa-4bbb-8ccc-${String(n).padStart(12, '0')}`;
}

function parsed(text: string) {
  const reading = parseRole(text);
  if (reading.ok) return reading.model;
  throw new Error(reading.problems.map((problem) => problem.text).join('; '));
}

function rendered(text: string): string {
  return renderIni(forNode(parsed(text), CUK), { origin: 'a benchmark' });
}

/** What the agent keeps of one document, in MiB. */
function kept(text: string): number {
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  const document = { model: parsed(text), ini: rendered(text) };
  global.gc?.();
  const after = process.memoryUsage().heapUsed;
  return document.ini === '' ? 0 : (after - before) / 2 ** 20;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

main();
