import { readFileSync } from 'node:fs';
import { sleep } from '../../../src/base/clock.ts';
import { execute } from './commands.ts';
import { readConfiguration, Refused, type Configuration, type Self } from './configuration.ts';
import { controlPort, listen } from './control-port.ts';
import type { Report } from './control-report.ts';
import { watchIni } from './ini-watch.ts';
import { openLink, type Attachment } from './link.ts';
import { RingNode } from './ring-node.ts';
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

/** One life of the stand-in for chmpx, as a single server (see README.md). */
export class ChmpxProcess {
  readonly #options: ChmpxOptions;
  readonly #node: RingNode;
  readonly #started = Date.now();
  readonly #clients = new Set<number>();
  #configuration: Configuration;
  #memory: SharedMemory | undefined;
  #updated = Date.now();
  /** How many k2hdkc are gone without chmpx having noticed yet. */
  #unnoticed = 0;
  #reloading = Promise.resolve();

  constructor(options: ChmpxOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    this.#node = new RingNode({
      clock: options.settings.clock,
      autoMerge: options.configuration.autoMerge,
      changed: () => {
        this.#updated = Date.now();
        this.#show();
      },
    });
  }

  /** Opens the ports, then the shared memory. Throws Refused where chmpx does not start. */
  async start(): Promise<void> {
    const { settings } = this.#options;
    const { group, self, mqAck } = this.#configuration;
    const stem = sharedMemoryStem(baseDirectory(process.env), group, self.ctlport);
    this.#checkLimits();
    await this.#openPorts(readSharedMemory(stem) !== undefined);
    const attachPort = await openLink({
      attached: (attachment) => {
        this.#attached(attachment);
      },
      detached: (pid) => {
        this.#detached(pid);
      },
    });
    this.#watch();
    await sleep(settings.clock, settings.chmpxStart);
    const started = startTime(process.pid) ?? '';
    this.#memory = new SharedMemory(stem, { pid: process.pid, started, attachPort, mqAck });
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
    clock.after(30 + 130 * random(), () => {
      this.#end(crash);
    });
  }

  #end(crash: boolean): never {
    if (crash) process.kill(process.pid, 'SIGSEGV');
    this.#memory?.remove();
    process.exit(0);
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

  #checkLimits(): void {
    const { group, numbers } = this.#configuration;
    if (group.length > 255) {
      throw new Refused(['InitializeShmEx(0) : Configuration information are wrong.']);
    }
    const limit = Number(readFileSync('/proc/sys/fs/mqueue/msg_max', 'utf8'));
    const queues = numbers.MAXMQSERVER + numbers.MAXMQCLIENT;
    if (process.getuid?.() !== 0 && limit < queues) {
      throw new Refused([
        `InitializeMaxMqSystemSize(0) : Current msg ${limit} is too small for specified msg ${queues}(MAXCLIENT in GLOBAL section).`,
      ]);
    }
    if (Math.max(numbers.MAXQPERSERVERMQ, numbers.MAXQPERCLIENTMQ) > limit) {
      throw new Refused([
        `SetEventQueue(0) : Failed to open MQ(/${group}) by errno=EINVAL, maybe there is not enough "msg_max"(require mq_maxmsg is ${numbers.MAXQPERSERVERMQ}).`,
      ]);
    }
  }

  /**
   * A twin that already has the ports does not keep this one from starting (SO_REUSEPORT). Node 20
   * cannot share them, so this one listens as soon as the twin is gone.
   */
  async #openPorts(twin: boolean): Promise<void> {
    const { settings } = this.#options;
    const { self, servers } = this.#configuration;
    const portOptions = {
      settings,
      allowed: (address: string) => servers.some((one) => one.name === address),
      execute: (line: string) => execute(line, this.#node, this.#report()),
      disturbs: () => this.#disturbed(),
    };
    const ports = [
      { name: 'port', number: self.port },
      { name: 'ctlport', number: self.ctlport },
    ];
    for (const { name, number } of ports) {
      const server = controlPort({
        ...portOptions,
        ...(name === 'port' && { allowed: () => false }),
      });
      const outcome = await listen(server, number);
      const retry = async (): Promise<void> => {
        while ((await listen(server, number)) !== 'listening') await sleep(settings.clock, 200);
      };
      if (outcome === 'taken' && twin) void retry();
      else if (outcome !== 'listening') {
        throw new Refused([`SetEventQueue(0) : Could not listen ${name}(${number}).`]);
      }
    }
  }

  #disturbed(): boolean {
    if (!this.#options.settings.pollHurts || !this.#node.starting) return false;
    const settled = this.#clients.size === 0 && Date.now() - this.#started > 2000;
    if (settled) return false;
    this.#node.disturb();
    return true;
  }

  #attached({ pid, rejoins, neverGivesUp }: Attachment): void {
    const { stick } = this.#options.settings;
    this.#clients.add(pid);
    const sticks = stick === 'always' || (stick === 'sequence' && rejoins % 3 !== 0);
    this.#node.join(rejoins > 0 && !neverGivesUp && sticks);
  }

  #detached(pid: number): void {
    const { clock, random } = this.#options.settings;
    this.#unnoticed += 1;
    clock.after(50 + 300 * random(), () => {
      this.#unnoticed -= 1;
      this.#clients.delete(pid);
      if (this.#clients.size === 0) this.#node.leave();
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
    this.#node.autoMerge = next.autoMerge;
    this.#show();
  }

  #report(): Report {
    return {
      configuration: this.#configuration,
      status: this.#node.status,
      updated: this.#updated,
      suspendMerge: this.#node.mergeSuspended,
      clients: [...this.#clients],
      started: Math.trunc(this.#started / 1000),
      pid: process.pid,
      stem: this.#memory?.stem ?? '',
    };
  }

  #show(): void {
    const report = this.#report();
    this.#memory?.write(selfReport(report), wholeReport(report));
  }

  /** What the real program prints when it has started. */
  #banner(): string {
    const { self } = this.#configuration;
    const hash = 'f'.repeat(16);
    return `CHMPX HOSTNAME            = ${self.name}
MODE                      = SERVER
PORT                      = ${self.port}
CONTROL PORT              = ${self.ctlport}
SSL                       = NO
BASE HASH                 = ${hash}
STATUS                    = ${statusText(this.#node.status)}

`;
  }
}
