import { sleep, systemClock } from '../../../src/base/clock.ts';
import { ringIniText } from '../../conformance/ini.ts';
import { DOWN, IN } from '../../conformance/lab.ts';
import { RingMember } from '../../conformance/ring-member.ts';
import type { Subject } from '../../conformance/subject.ts';
import { VmHosts } from '../../conformance/vm-hosts.ts';
import { ToolClient, type RingClient } from './client.ts';
import { CHANGE_TIMEOUT_S, type DataRing } from './data-ring.ts';

const PORT = 8020;
const CONTROL_PORT = 8021;
/** What a person waits for a server that sticks before both its programs are started again (s). */
const PATIENCE_S = 30;

/**
 * A ring that merges by itself, changed by hand in the best way there is
 * (docs/contracts/ring.md, 2.4 and 3.1).
 */
export class HandRing implements DataRing {
  readonly #hosts: VmHosts;
  readonly #replica: number;
  readonly #slave: RingMember;
  #members: RingMember[] = [];
  #made = 0;
  #scripts = 0;

  private constructor(hosts: VmHosts, slave: RingMember, replica: number) {
    this.#hosts = hosts;
    this.#slave = slave;
    this.#replica = replica;
  }

  static async open(subject: Subject, directory: string, replica: number): Promise<HandRing> {
    const hosts = await VmHosts.open(subject, directory);
    const slave = new RingMember(await hosts.add(), 'slave', [0, CONTROL_PORT]);
    return new HandRing(hosts, slave, replica);
  }

  readonly agents = null;

  client(): Promise<RingClient> {
    return Promise.resolve(new ToolClient(this.tool));
  }

  async form(servers: number): Promise<void> {
    for (let n = 0; n < servers; n += 1) this.#members.push(await this.#newMember());
    this.#publish([...this.#members, this.#slave], this.#members);
    for (const member of this.#members) await this.#join(member);
    this.#slave.chmpx = await this.#slave.host.start('chmpx', ['-conf', this.#slave.ini]);
    await sleep(systemClock, 2_000);
  }

  async grow(): Promise<void> {
    const joiner = await this.#newMember();
    const all = [...this.#members, joiner];
    this.#publish([...this.#members, this.#slave], all);
    for (const member of this.#members) await member.sees(joiner, DOWN);
    await sleep(systemClock, 500);
    this.#publish([joiner], all);
    this.#members = all;
    await this.#join(joiner);
  }

  async shrink(): Promise<void> {
    const leaver = this.#members.at(-1);
    if (!leaver) throw new Error('nobody can leave');
    const answer = await leaver.ask(`SERVICEOUT ${leaver.id}`);
    if (!answer.startsWith('SUCCEED')) throw new Error(`SERVICEOUT: ${answer.trim()}`);
    await leaver.reaches('[SERVICE OUT][UP][n/a][Nothing][NoSuspend]', CHANGE_TIMEOUT_S);
    await leaver.kill();
    this.#members = this.#members.slice(0, -1);
    for (const member of this.#members) await member.sees(leaver, DOWN);
    this.#publish([...this.#members, this.#slave], this.#members);
    await sleep(systemClock, 1_000);
  }

  async crash(): Promise<void> {
    await this.#members[1]?.kill();
    await sleep(systemClock, 1_000);
  }

  async rejoin(): Promise<void> {
    const [, second] = this.#members;
    if (second) await this.#join(second);
  }

  close(): Promise<void> {
    return this.#hosts.close();
  }

  readonly tool: DataRing['tool'] = async (lines) => {
    this.#scripts += 1;
    const text = [...lines, 'exit', ''].join('\n');
    const script = this.#slave.host.write(`script.${this.#scripts}`, text);
    const words = ['-conf', this.#slave.ini, '-perm', '-run', script];
    return (await this.#slave.host.run('k2hdkclinetool', words, 600)).text;
  };

  async #join(member: RingMember): Promise<void> {
    await member.start();
    await member.reaches(IN, PATIENCE_S).catch(async () => {
      await member.kill();
      await sleep(systemClock, 700);
      await member.start();
      await member.reaches(IN, CHANGE_TIMEOUT_S);
    });
  }

  async #newMember(): Promise<RingMember> {
    this.#made += 1;
    return new RingMember(await this.#hosts.add(), `srv-${this.#made}`, [PORT, CONTROL_PORT]);
  }

  #publish(to: readonly RingMember[], servers: readonly RingMember[]): void {
    for (const self of to) {
      const text = ringIniText({
        group: 'bydata',
        self,
        servers,
        slave: this.#slave,
        replica: this.#replica,
        autoMerge: true,
        k2hFile: self.host.dataFile('node.k2h'),
      });
      self.host.write('node.ini', text);
    }
  }
}
