import { copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { KeyTool } from '../../helpers/ring-keys.ts';
import { until } from '../../helpers/until.ts';
import { ProgramClient, ToolClient, type RingClient } from './client.ts';
import type { LabVm } from '../../peers/vm/lab-vm.ts';

/** Where a slave keeps its files in its VM. */
const PLACE = '/var/lib/antpickax/slave';
const INI = path.join(PLACE, 'slave.ini');

/** Who a slave is. */
export interface SlaveFacts {
  cuk: string;
  controlPort: number;
}

/** A client node of a ring whose servers are kept by agents: its ini is made from a server's. */
export class Slave {
  readonly #vm: LabVm;
  readonly #facts: SlaveFacts;
  #text = '';
  #scripts = 0;

  constructor(vm: LabVm, facts: SlaveFacts) {
    this.#vm = vm;
    this.#facts = facts;
    mkdirSync(vm.path(PLACE), { recursive: true });
  }

  /** Takes the ring over from the ini of a server. */
  follow(serverIni: string): void {
    const { cuk, controlPort } = this.#facts;
    const text = serverIni
      .replace(/^MODE *=.*$/m, 'MODE = SLAVE')
      .replace(/^CTLPORT *=.*$/m, `CTLPORT = ${controlPort}`)
      .replace(/^SELFCTLPORT *=.*$/m, `SELFCTLPORT = ${controlPort}`)
      .replace(/^SELFCUK *=.*$/m, `SELFCUK = ${cuk}`)
      // A slave keeps the role's (docs/ini.md): the kernel counts the queues of all clients together.
      .replace(/^(MAXQPER(?:SERVER|CLIENT)MQ) *=.*$/gm, '$1 = 8');
    if (text === this.#text) return;
    this.#text = text;
    const file = this.#vm.path(INI);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }

  async start(): Promise<void> {
    const output = this.#vm.path(path.join(PLACE, 'output'));
    await this.#vm.run('chmpx', ['-conf', INI, '-d', 'err'], { output });
    await until('the slave sees a server in service', async () => {
      const { stdout } = await this.#vm.exec('chmpxstatus', ['-conf', INI]);
      return /= SAFE -> \[SERVICE IN\]\[UP\]/.test(stdout);
    });
  }

  /** @param program as `compileClient` gives it; without it k2hdkclinetool is run for each request. */
  async client(program: string | null, limitMs: number): Promise<RingClient> {
    if (program === null) return new ToolClient(this.tool);
    const copy = path.join(PLACE, 'ring-client');
    copyFileSync(program, `${this.#vm.path(copy)}.new`);
    renameSync(`${this.#vm.path(copy)}.new`, this.#vm.path(copy));
    return new ProgramClient(await this.#vm.run(copy, [INI, `${limitMs}`], { input: true }));
  }

  readonly tool: KeyTool = async (lines) => {
    this.#scripts += 1;
    const script = path.join(PLACE, `script.${this.#scripts}`);
    writeFileSync(this.#vm.path(script), [...lines, 'exit', ''].join('\n'));
    const words = ['-conf', INI, '-perm', '-run', script];
    const { stdout, stderr } = await this.#vm.exec('k2hdkclinetool', words, {
      timeoutMs: 600_000,
    });
    return stdout + stderr;
  };
}
