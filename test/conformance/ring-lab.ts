import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { readKeys, writeKeys, type KeysRead } from '../helpers/ring-keys.ts';
import { until } from '../helpers/until.ts';
import { freePorts } from '../peers/free-ports.ts';
import { ringIniText, type ListedNode } from './ini.ts';
import { DOWN, IN } from './lab.ts';
import { LoopbackHosts } from './loopback-hosts.ts';
import type { RingHosts } from './ring-host.ts';
import { RingMember } from './ring-member.ts';
import { resolveSubject } from './subject.ts';
import { VmHosts } from './vm-hosts.ts';

/** How a ring is set up. */
export interface RingOptions {
  /** How many servers there can be. */
  count: number;
  /** Default 0. */
  replica?: number;
  /** Default true. */
  autoMerge?: boolean;
}

/**
 * How long a good join of the real program takes at most on an idle machine, in seconds; it often
 * sticks. Each further try has as much more, for a machine that is busy.
 */
const JOIN_TIMEOUT = 8;

/** Several servers and a slave for one test, each on a host of its own. */
export class RingLab {
  readonly group = `ring${randomBytes(4).toString('hex')}`;
  readonly servers: RingMember[];
  readonly slave: RingMember;
  readonly #replica: number;
  readonly #autoMerge: boolean;
  #scripts = 0;

  private constructor(nodes: RingMember[], { replica = 0, autoMerge = true }: RingOptions) {
    this.servers = nodes.slice(0, -1);
    this.slave = nodes.at(-1) ?? fail('no slave');
    this.#replica = replica;
    this.#autoMerge = autoMerge;
  }

  /** Makes the hosts; nothing runs yet. All is taken down when the test is over. */
  static async open(options: RingOptions): Promise<RingLab> {
    const subject = resolveSubject();
    const directory = await mkdtemp(path.join(tmpdir(), 'conformance-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const hosts: RingHosts =
      subject.name === 'stand-ins'
        ? new LoopbackHosts(subject, directory)
        : await VmHosts.open(subject, directory);
    onTestFinished(() => hosts.close());
    const [port = 0, ctlport = 0] = await freePorts(2);
    const nodes: RingMember[] = [];
    for (let number = 1; number <= options.count; number += 1) {
      nodes.push(new RingMember(await hosts.add(), `srv-${number}`, [port, ctlport]));
    }
    nodes.push(new RingMember(await hosts.add(), 'slv-1', [0, ctlport]));
    for (const { host } of nodes) host.environment = { ANTPICKAX_STANDIN_HAZARDS: 'none' };
    return new RingLab(nodes, options);
  }

  /** A server by its number, from 1. */
  server(number: number): RingMember {
    return this.servers[number - 1] ?? fail(`no server ${number}`);
  }

  /**
   * Gives nodes an ini that lists these servers, and this slave; a starting node needs its own before.
   */
  publish(
    to: readonly RingMember[],
    servers: readonly RingMember[],
    slave: ListedNode = this.slave,
  ): void {
    for (const self of to) self.host.write('node.ini', this.iniOf(self, servers, slave));
  }

  /** The ini of a node that lists these servers, and this slave. */
  iniOf(self: RingMember, servers: readonly RingMember[], slave: ListedNode = this.slave): string {
    return ringIniText({
      group: this.group,
      self,
      servers,
      slave,
      replica: this.#replica,
      autoMerge: this.#autoMerge,
      k2hFile: self.host.dataFile('node.k2h'),
    });
  }

  /** Starts the first `count` servers one after the other, and the slave. */
  async form(count: number): Promise<void> {
    const members = this.servers.slice(0, count);
    this.publish([...members, this.slave], members);
    for (const member of members) {
      await (this.#autoMerge ? this.join(member) : this.#joinByCommand(member));
    }
    this.slave.chmpx = await this.slave.host.start('chmpx', ['-conf', this.slave.ini]);
    await until('slave sees all servers', async () => {
      const { servers } = await this.slave.view();
      return servers.length === count && servers.every(({ status }) => status === IN);
    });
  }

  /** Lists one more server everywhere, and half a second later gives that one its ini. */
  async list(joiner: RingMember, members: readonly RingMember[]): Promise<void> {
    this.publish([...members, this.slave], [...members, joiner]);
    for (const member of members) await member.sees(joiner, DOWN);
    await sleep(systemClock, 500);
    this.publish([joiner], [...members, joiner]);
  }

  /** Starts a server until it is in service: one that sticks is killed and started again. */
  async join(member: RingMember): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await member.start();
      try {
        await member.reaches(IN, JOIN_TIMEOUT * tries);
        return;
      } catch (error) {
        if (tries === 5) throw error;
        await member.kill();
        await sleep(systemClock, 700);
      }
    }
  }

  /** Writes PREFIX0 … through the slave. */
  write(prefix: string, count: number): Promise<number> {
    return writeKeys((lines) => this.tool(lines), prefix, count);
  }

  read(prefix: string, count: number): Promise<KeysRead> {
    return readKeys((lines) => this.tool(lines), prefix, count);
  }

  /** Runs lines with k2hdkclinetool on the slave. */
  async tool(lines: readonly string[]): Promise<string> {
    this.#scripts += 1;
    const text = [...lines, 'exit'].map((line) => `${line}\n`).join('');
    const script = this.slave.host.write(`script.${this.#scripts}`, text);
    const words = ['-conf', this.slave.ini, '-perm', '-run', script];
    return (await this.slave.host.run('k2hdkclinetool', words, 60)).text;
  }

  async #joinByCommand(member: RingMember): Promise<void> {
    await member.start();
    await member.reaches('[SERVICE OUT][UP][n/a][Nothing][NoSuspend]');
    await member.ask('SERVICEIN');
    await member.reaches('[SERVICE IN][UP][ADD][Pending][NoSuspend]');
    await member.ask('MERGE');
    await member.reaches('[SERVICE IN][UP][ADD][Done][NoSuspend]');
    await member.ask('COMPMERGE');
    await member.reaches(IN);
  }
}

function fail(message: string): never {
  throw new Error(message);
}
