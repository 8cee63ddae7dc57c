import { sleep, systemClock } from '../../../src/base/clock.ts';
import { cpuMs } from '../../../src/process/proc-stat.ts';
import { ringIniText } from '../../conformance/ini.ts';
import { IN } from '../../conformance/lab.ts';
import { RingMember } from '../../conformance/ring-member.ts';
import type { Subject } from '../../conformance/subject.ts';
import { VmHosts } from '../../conformance/vm-hosts.ts';
import type { KeyTool } from '../../helpers/ring-keys.ts';
import { comes } from '../../helpers/until.ts';

const PORTS = [8020, 8021] as const;
const OUTSIDE = '[SERVICE OUT][UP][n/a][Nothing][NoSuspend]';
const LOOK_MS = 40;
/** All servers have these statuses after so many seconds, or one of them is left behind. */
const STEP_LIMIT_S = 10;

/** How one merge went. Times in milliseconds. */
export interface MergeResult {
  closedMs: number;
  mergeMs: number;
  /** Who stayed Doing, and the CPU time of its chmpx and k2hdkc in a second; empty when nobody did. */
  hung: { name: string; chmpx: number; k2hdkc: number }[];
  why: string;
}

/** Servers that merge by command again and again (docs/contracts/ring.md, 7.1), without agents. */
export class MergeRing {
  readonly #hosts: VmHosts;
  readonly #members: RingMember[];
  readonly #slave: RingMember;
  #scripts = 0;

  private constructor(hosts: VmHosts, members: RingMember[], slave: RingMember) {
    this.#hosts = hosts;
    this.#members = members;
    this.#slave = slave;
  }

  /** @param edit changes the text of every ini. */
  static async open(
    subject: Subject,
    directory: string,
    facts: { servers: number; replica: number; edit: (ini: string) => string },
  ): Promise<MergeRing> {
    const hosts = await VmHosts.open(subject, directory);
    const members: RingMember[] = [];
    for (let n = 0; n <= facts.servers; n += 1) {
      members.push(new RingMember(await hosts.add(), `srv-${n}`, PORTS));
    }
    const slave = new RingMember(await hosts.add(), 'slave', [0, PORTS[1]]);
    for (const self of [...members, slave]) {
      const k2hFile = self.host.dataFile('node.k2h');
      const common = { group: 'merges', servers: members, slave, autoMerge: false, k2hFile };
      const text = ringIniText({ ...common, self, replica: facts.replica });
      self.host.write('node.ini', facts.edit(text));
    }
    return new MergeRing(hosts, members, slave);
  }

  /** Starts all but the last one as a ring, the last one outside, and the slave. */
  async form(): Promise<void> {
    for (const member of this.#members) {
      await member.start();
      await member.reaches(OUTSIDE);
    }
    const base = this.#members.slice(0, -1);
    for (const member of base) await member.ask('SERVICEIN');
    const { why } = await this.#merge(base, systemClock.monotonic());
    if (why !== '') throw new Error(`no ring: ${why}`);
    this.#slave.chmpx ??= await this.#slave.host.start('chmpx', ['-conf', this.#slave.ini]);
    for (const member of base) await this.#slave.sees(member, IN);
  }

  /** Kills all servers and makes the ring again, with its data. */
  async again(): Promise<void> {
    for (const member of this.#members) await member.kill();
    await sleep(systemClock, 700);
    await this.form();
  }

  /** The last server joins, or leaves. */
  async change(joins: boolean): Promise<MergeResult> {
    const base = this.#members.slice(0, -1);
    const joiner = this.#members.at(-1) as RingMember;
    await joiner.ask(joins ? 'SERVICEIN' : `SERVICEOUT ${joiner.id}`);
    const since = systemClock.monotonic();
    await Promise.all(
      base.map(async (member) => {
        await member.ask(`SERVICEOUT ${member.id}`);
        await member.ask('SERVICEIN');
      }),
    );
    const result = await this.#merge([...base, joiner], since);
    if (result.why === '') await joiner.reaches(joins ? IN : OUTSIDE);
    return result;
  }

  readonly tool: KeyTool = async (lines) => {
    this.#scripts += 1;
    const text = [...lines, 'exit', ''].join('\n');
    const script = this.#slave.host.write(`script.${this.#scripts}`, text);
    const words = ['-conf', this.#slave.ini, '-perm', '-run', script];
    return (await this.#slave.host.run('k2hdkclinetool', words, 600)).text;
  };

  close(): Promise<void> {
    return this.#hosts.close();
  }

  async #merge(members: readonly RingMember[], since: number): Promise<MergeResult> {
    const [first] = members;
    const isAll = (state: string) => async (): Promise<boolean> => {
      const { servers } = (await first?.view()) ?? { servers: [] };
      const are = servers.filter(({ status }) => status.startsWith('[SERVICE IN]'));
      return are.length >= members.length && are.every(({ status }) => status.includes(state));
    };
    const end = (why: string, mergeMs = 0): MergeResult => {
      const closedMs = systemClock.monotonic() - since;
      return { closedMs, mergeMs, hung: [], why };
    };
    if (!(await within(isAll('[Pending]')))) return end('not all Pending');
    const begun = systemClock.monotonic();
    const answer = (await first?.ask('MERGE')) ?? '';
    if (!answer.startsWith('SUCCEED')) return end(`MERGE: ${answer.trim()}`);
    if (!(await within(isAll('[Done]')))) {
      return { ...end('hung'), hung: await this.#whoHangs(members) };
    }
    const mergeMs = systemClock.monotonic() - begun;
    await first?.ask('COMPMERGE');
    const isOpen = await within(async () => {
      const { servers } = (await first?.view()) ?? { servers: [] };
      return servers.every(({ status }) => status.includes('[n/a][Nothing]'));
    });
    return end(isOpen ? '' : 'not completed', mergeMs);
  }

  async #whoHangs(members: readonly RingMember[]): Promise<MergeResult['hung']> {
    const { servers } = (await members[0]?.view()) ?? { servers: [] };
    const late = members.filter(({ cuk }) =>
      servers.some((row) => row.cuk === cuk && row.status.includes('[Doing]')),
    );
    const used = (): number[] =>
      late.flatMap(({ chmpx, k2hdkc }) => [cpuMs(chmpx?.pid ?? NaN), cpuMs(k2hdkc?.pid ?? NaN)]);
    const before = used();
    await sleep(systemClock, 1_000);
    const after = used();
    return late.map(({ name }, n) => ({
      name,
      chmpx: (after[2 * n] ?? 0) - (before[2 * n] ?? 0),
      k2hdkc: (after[2 * n + 1] ?? 0) - (before[2 * n + 1] ?? 0),
    }));
  }
}

async function within(check: () => Promise<boolean>): Promise<boolean> {
  return (await comes(check, { seconds: STEP_LIMIT_S, everyMs: LOOK_MS })) !== null;
}
