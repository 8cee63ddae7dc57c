import { existsSync, readFileSync } from 'node:fs';
import { sleep } from '../../../src/base/clock.ts';
import { messageOf } from '../../../src/base/errors.ts';
import { readConfiguration, Refused, type Self } from './configuration.ts';
import { openK2h } from './k2h-file.ts';
import { KeyStore } from './key-store.ts';
import { readK2hdkcSection } from './k2hdkc-section.ts';
import { attach } from './link.ts';
import { configurationFile, parseOptions, showsErrors } from './options.ts';
import type { Answer, Question } from './protocol.ts';
import { scheduleCrash, setProcessName } from './process-name.ts';
import { readSettings, type Settings } from './settings.ts';
import { baseDirectory, readSharedMemory, sharedMemoryStem } from './shared-memory.ts';
import { versionText } from './version-text.ts';

/** Where a k2hdkc belongs. */
interface Place {
  stem: string;
  /** Where chmpx takes attachments. */
  port: number;
  keys: KeyStore;
}

/** A k2hdkc that has its k2h file and keeps attached to whatever chmpx has this node's memory. */
class K2hdkc {
  readonly #settings: Settings;
  readonly #stem: string;
  readonly #keys: KeyStore;
  readonly #neverGivesUp: boolean;
  #attached = false;
  #rejoins = 0;

  constructor(settings: Settings, { stem, keys }: Place, neverGivesUp: boolean) {
    this.#settings = settings;
    this.#stem = stem;
    this.#keys = keys;
    this.#neverGivesUp = neverGivesUp;
  }

  /** Attaches to the chmpx at this port, and to its successors when it is gone. */
  attach(port: number): void {
    this.#attached = true;
    const attachment = {
      pid: process.pid,
      rejoins: this.#rejoins,
      neverGivesUp: this.#neverGivesUp,
    };
    const answer = (question: Question): Answer => this.#keys.answer(question);
    attach(port, attachment, answer, () => {
      this.#attached = false;
      this.#rejoins += 1;
      void this.#rejoin();
    });
  }

  /** TERM, INT or HUP: ignored for ever by one that never gives up and has no chmpx. */
  stop(): void {
    if (this.#neverGivesUp && !this.#attached) return;
    const { clock, random } = this.#settings;
    clock.after(this.#attached ? 60 + 900 * random() : 1700, () => {
      process.exit(0);
    });
  }

  async #rejoin(): Promise<void> {
    const { clock } = this.#settings;
    for (;;) {
      const memory = readSharedMemory(this.#stem);
      await sleep(clock, memory ? 800 : 100);
      // While a killed chmpx is not quite gone, its memory still looks like somebody's.
      const port = readSharedMemory(this.#stem)?.attachPort;
      if (port !== undefined && port === memory?.attachPort) {
        this.attach(port);
        return;
      }
    }
  }
}

/** Makes or opens the k2h file and finds the chmpx. Throws Refused. */
async function initialize(file: string, given: Self): Promise<Place> {
  const text = readFileSync(file, 'utf8');
  const section = readK2hdkcSection(file, text);
  try {
    if (section.file !== '') openK2h(section.file, section.geometry);
  } catch (error) {
    throw new Refused([`InitializeK2hash(0) : Failed to initialize k2hash. ${messageOf(error)}`]);
  }
  const attaching = 'Initialize(0) : Could not initialize(attach) chmpx shared memory for testing.';
  const configuration = await readConfiguration(file, text, given).catch(() => {
    throw new Refused([attaching]);
  });
  const { group, self } = configuration;
  const stem = sharedMemoryStem(baseDirectory(process.env), group, self.ctlport);
  const memory = readSharedMemory(stem);
  if (memory === undefined) throw new Refused([attaching]);
  if (memory.mqAck) {
    throw new Refused([
      'Initialize(0) : Chmpx MQ Ack mode is true(on), MQ Ack mode must be OFF(FALSE) for k2hdkc process.',
    ]);
  }
  if (section.maxThread > 100) {
    throw new Refused(['Initialize(0) : Could not initialize processing thread object.']);
  }
  return { stem, port: memory.attachPort, keys: new KeyStore(section.file) };
}

/** Stand-in for k2hdkc: `k2hdkc -conf FILE [-ctlport N] [-cuk S] [-no_giveup_rejoin] [-d err]`. */
async function main(): Promise<void> {
  setProcessName('k2hdkc');
  const options = parseOptions(process.argv.slice(2));
  if (options.has('v') || options.has('version')) {
    process.stdout.write(versionText('K2hdkc', 'K2HASH library', 'FULLOCK', 'CHMPX'));
    return;
  }
  const settings = readSettings(process.env);
  const errors = showsErrors(options, process.env['DKCDBGMODE']);
  const fail = (text: string, lines: readonly string[]): never => {
    if (errors) for (const line of lines) process.stderr.write(`[DKC-ERR] ${line}\n`);
    process.stdout.write(`ERROR: ${text}\n`);
    process.exit(1);
  };
  const file = configurationFile(options, process.env['K2HDKCCONFFILE']) ?? '';
  if (!existsSync(file) || !file.endsWith('.ini')) {
    fail(`Failed to load configuration : "${file}"`, [
      'Load(0) : configuration file or json string is wrong.',
    ]);
  }
  try {
    await sleep(settings.clock, settings.k2hdkcStart);
    const { address } = settings;
    const given = { ctlport: options.get('ctlport'), cuk: options.get('cuk'), address };
    const place = await initialize(file, given);
    const k2hdkc = new K2hdkc(settings, place, options.has('no_giveup_rejoin'));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        k2hdkc.stop();
      });
    }
    process.on('SIGQUIT', () => undefined);
    k2hdkc.attach(place.port);
    scheduleCrash(settings.k2hdkcCrash);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const badFile = error.lines.some((line) => line.startsWith('Load'));
    fail(
      badFile
        ? `Failed to load configuration : "${file}"`
        : 'Failed to initialize control main object.',
      error.lines,
    );
  }
}

void main();
