import { sleep } from '../../../src/base/clock.ts';
import { execute } from './commands.ts';
import { readConfiguration, Refused, type Configuration, type Self } from './configuration.ts';
import { controlPort } from './control-port.ts';
import type { Report } from './control-report.ts';
import { Hazards } from './hazards.ts';
import { watchIni } from './ini-watch.ts';
import type { Attachment } from './link.ts';
import { countLife } from './node-life.ts';
import { openPorts, type Port } from './ports.ts';
import { Ring } from './ring.ts';
import type { Rejoin } from './ring-node.ts';
import type { Settings } from './settings.ts';
import {
  baseDirectory,
  readSharedMemory,
  SharedMemory,
  sharedMemoryStem,
  startTime,
} from './shared-memory.ts';
import { selfReport, wholeReport } from './status-report.ts';
import { statusText } from './status.ts';

/** What a chmpx is started with. */
export interface ChmpxOptions {
  file: string;
  given: Self;
  configuration: Configuration;
  settings: Settings;
  /** Writes a line of the error log, which only `-d err` shows. */
  log: (line: string) => void;
}

/** One life of the stand-in for chmpx (see README.md). */
export class ChmpxProcess {
  readonly #options: ChmpxOptions;
  readonly #ring: Ring;
  readonly #stem: string;
  readonly #started = Date.now();
  readonly #clients = new Set<number>();
  #configuration: Configuration;
  #memory: SharedMemory | undefined;
  /** How many k2hdkc are gone without chmpx having noticed yet. */
  #unnoticed = 0;
  #reloading = Promise.resolve();

  constructor(options: ChmpxOptions) {
    const { configuration, settings } = options;
    const { group, self } = configuration;
    this.#options = options;
    this.#configuration = configuration;
    this.#stem = sharedMemoryStem(baseDirectory(process.env), group, self.ctlport);
    this.#ring = new Ring({
      configuration,
      settings,
      hazards: new Hazards(settings.hazards, settings.seed, countLife(this.#stem)),
      changed: () => {
        this.#show();
      },
      attached: (attachment) => {
        this.#attached(attachment);
      },
      detached: (pid) => {
        this.#detached(pid);
      },
      fail: () => process.exit(1),
    });
  }

  /** Opens the ports, meets the others, then shows itself. Throws Refused where it cannot start. */
  async start(): Promise<void> {
    const { clock, address, chmpxStart } = this.#options.settings;
    const { mqAck } = this.#configuration;
    const twin = readSharedMemory(this.#stem) !== undefined;
    await openPorts(this.#ports(), { clock, address, twin });
    const attachPort = await this.#ring.link.open();
    this.#watch();
    await Promise.all([sleep(clock, chmpxStart), this.#ring.meet()]);
    const started = startTime(process.pid) ?? '';
    this.#memory = new SharedMemory(this.#stem, { pid: process.pid, started, attachPort, mqAck });
    this.#show();
    process.stdout.write(this.#banner());
  }

  /**
   * HUP and INT: a clean end within 0.03 to 0.16 s, or a segmentation fault when a k2hdkc is gone
   * that chmpx still believes to be there (measured with the real program; waiting for Suspend
   * before the signal avoids it).
   */
  stop(): void {
    const { clock, random, segfault } = this.#options.settings;
    const crash = segfault !== 'never' && this.#unnoticed > 0;
    clock.after(30 + 130 * random() + this.#ring.node.busyMs, () => {
      this.#end(crash);
    });
  }

  #end(crash: boolean): never {
    if (crash) process.kill(process.pid, 'SIGSEGV');
    this.#memory?.remove();
    process.exit(0);
  }

  #ports(): Port[] {
    const { settings } = this.#options;
    const { self } = this.#configuration;
    const control = controlPort({
      settings,
      execute: (line) => execute(line, this.#ring, this.#report()),
      disturbs: () => this.#disturbed(),
    });
    const ctlport = { name: 'ctlport', number: self.ctlport, server: control } as const;
    if (this.#ring.isSlave) return [ctlport];
    return [{ name: 'port', number: self.port, server: this.#ring.peers.server() }, ctlport];
  }

  #watch(): void {
    watchIni({
      file: this.#options.file,
      clock: this.#options.settings.clock,
      changed: (text) => {
        this.#reloading = this.#reloading.then(() => this.#reload(text));
      },
      lost: (why) => {
        this.#options.log(
          `Receive(0) : Failed to set inotify event for configuration file(${this.#options.file}), then no more watching it. (${why})`,
        );
      },
    });
  }

  #disturbed(): boolean {
    const { node, isSlave } = this.#ring;
    if (!this.#options.settings.pollHurts || !node.starting || isSlave) return false;
    const settled = this.#clients.size === 0 && Date.now() - this.#started > 2000;
    if (settled) return false;
    node.disturb();
    return true;
  }

  #attached({ pid, rejoins, neverGivesUp }: Attachment): void {
    this.#clients.add(pid);
    this.#ring.join(neverGivesUp || rejoins === 0 ? 'fresh' : this.#rejoin(rejoins));
  }

  /** How it goes on after a chmpx was restarted under a living k2hdkc for the nth time. */
  #rejoin(times: number): Rejoin {
    const { stick } = this.#options.settings;
    if (stick === 'never') return 'fresh';
    if (stick === 'always') return 'stuck out';
    if (this.#ring.alone) return times % 3 === 0 ? 'fresh' : 'stuck out';
    return (['fresh', 'stuck doing', 'fresh', 'stuck out'] as const)[times % 4] ?? 'fresh';
  }

  #detached(pid: number): void {
    const { clock, random } = this.#options.settings;
    this.#unnoticed += 1;
    clock.after(50 + 300 * random(), () => {
      this.#unnoticed -= 1;
      this.#clients.delete(pid);
      if (this.#clients.size === 0) this.#ring.node.leave();
      else this.#show();
    });
  }

  async #reload(text: string): Promise<void> {
    const { file, given, log } = this.#options;
    let next: Configuration;
    try {
      next = await readConfiguration(file, text, given);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      error.lines.forEach(log);
      this.#end(this.#options.settings.segfault === 'reload');
    }
    if (next.group !== this.#configuration.group) {
      log('ConfigurationUpdateNotify(0) : Failed to reinitialize internal data for ImData.');
      return;
    }
    if (JSON.stringify(next) === JSON.stringify(this.#configuration)) return;
    this.#configuration = next;
    this.#ring.configure(next);
    this.#show();
  }

  #report(): Report {
    return {
      configuration: this.#configuration,
      status: this.#ring.status,
      view: this.#ring.view,
      slaves: this.#ring.peers.slaves,
      suspendMerge: this.#ring.node.mergeSuspended,
      clients: [...this.#clients],
      started: Math.trunc(this.#started / 1000),
      pid: process.pid,
      stem: this.#stem,
    };
  }

  #show(): void {
    if (this.#memory === undefined) return;
    const report = this.#report();
    this.#memory.write(selfReport(report), wholeReport(report));
  }

  /** What the real program prints when it has started. */
  #banner(): string {
    const { self } = this.#configuration;
    const { isSlave, status } = this.#ring;
    return `CHMPX HOSTNAME            = ${self.name}
MODE                      = ${isSlave ? 'SLAVE' : 'SERVER'}
PORT                      = ${self.port}
CONTROL PORT              = ${self.ctlport}
SSL                       = NO
BASE HASH                 = ${'f'.repeat(16)}
STATUS                    = ${statusText(status)}

`;
  }
}
