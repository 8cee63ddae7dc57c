import { sleep, systemClock } from '../../src/base/clock.ts';
import { until } from '../helpers/until.ts';
import type { ListedNode } from './ini.ts';
import { IN, NONE } from './lab.ts';
import type { HostProcess, RingHost } from './ring-host.ts';

/** A row of the whole report of chmpxstatus. */
export interface Row {
  cuk: string;
  /** Without `SAFE -> `. */
  status: string;
}

/** What one node sees. */
export interface View {
  servers: Row[];
  slaves: Row[];
  operating: boolean;
}

/** One node of a ring and its programs. */
export class RingMember implements ListedNode {
  readonly host: RingHost;
  readonly port: number;
  readonly ctlport: number;
  readonly cuk: string;
  readonly seed: string;
  chmpx: HostProcess | undefined;
  k2hdkc: HostProcess | undefined;

  constructor(host: RingHost, name: string, [port, ctlport]: readonly [number, number]) {
    this.host = host;
    this.port = port;
    this.ctlport = ctlport;
    this.cuk = `cuk-${name}`;
    this.seed = `seed-${name}`;
  }

  get name(): string {
    return this.host.name;
  }

  /** What SERVICEOUT wants. */
  get id(): string {
    return `${this.name}:${this.ctlport}:${this.seed}`;
  }

  /** The path of its ini, on its host. */
  get ini(): string {
    return this.host.dataFile('node.ini');
  }

  /** Starts chmpx, waits for its shared memory, and starts k2hdkc. */
  async start(): Promise<void> {
    await this.startChmpx();
    await this.startK2hdkc();
  }

  async startChmpx(): Promise<void> {
    this.chmpx = await this.host.start('chmpx', this.#words);
    await until('shared memory', async () => (await this.status()) !== NONE);
  }

  async startK2hdkc(): Promise<void> {
    this.k2hdkc = await this.host.start('k2hdkc', this.#words);
  }

  /** Kills both programs. */
  async kill(): Promise<void> {
    for (const running of [this.k2hdkc, this.chmpx]) {
      running?.send('SIGKILL');
      await running?.end();
    }
  }

  /** Stops both programs where they are, and lets them go on again. */
  freeze(frozen: boolean): void {
    for (const running of [this.k2hdkc, this.chmpx]) running?.send(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Its status as `chmpxstatus -self` has it, or NONE. */
  async status(): Promise<string> {
    const { code, text } = await this.host.run('chmpxstatus', ['-conf', this.ini, '-self']);
    return code === 0 ? statusIn(text) : NONE;
  }

  /** What it sees of the ring. */
  async view(): Promise<View> {
    const { text } = await this.host.run('chmpxstatus', ['-conf', this.ini]);
    const [before = '', after = ''] = text.split(/^slave chmpxs .*$/m);
    const [, servers = ''] = before.split(/^server chmpxs .*$/m);
    const [slaves = ''] = after.split(/^\S/m);
    return {
      servers: rowsIn(servers),
      slaves: rowsIn(slaves),
      operating: /^now operating += yes$/m.test(before),
    };
  }

  /** The status of another as this one sees it. */
  async statusOf(other: RingMember): Promise<string | undefined> {
    return (await this.view()).servers.find(({ cuk }) => cuk === other.cuk)?.status;
  }

  /** Resolves when the node has this status; rejects after `seconds`, a safety net. */
  async reaches(status: string = IN, seconds = 60): Promise<void> {
    let last = '';
    const there = async (): Promise<boolean> => (last = await this.status()) === status;
    await until(`status ${status}`, there, { seconds }).catch(() => {
      throw new Error(`${this.cuk} is not ${status} within ${seconds} s, but ${last}`);
    });
  }

  /** Resolves when this one sees another so. */
  async sees(other: RingMember, status: string): Promise<void> {
    let last: string | undefined;
    const there = async (): Promise<boolean> => (last = await this.statusOf(other)) === status;
    await until(`status ${status}`, there).catch(() => {
      throw new Error(`${this.cuk} sees ${other.cuk} not ${status} but ${String(last)}`);
    });
  }

  /** Sends a command to its control port. */
  async ask(command: string): Promise<string> {
    await sleep(systemClock, 150); // closer together some requests take 5 s
    return this.host.ask(this.ctlport, command);
  }

  get #words(): string[] {
    return ['-conf', this.ini, '-d', 'err'];
  }
}

function statusIn(text: string): string {
  return /^ +status += SAFE -> (.*)$/m.exec(text)?.[1] ?? text;
}

function rowsIn(text: string): Row[] {
  return text
    .split(/^ {2}\[\d+\] = \{$/m)
    .slice(1)
    .map((block) => ({
      cuk: /^ +cuk += (.*)$/m.exec(block)?.[1] ?? '',
      status: statusIn(block),
    }));
}
