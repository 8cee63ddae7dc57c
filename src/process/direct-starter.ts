import { spawn } from 'node:child_process';
import path from 'node:path';
import { childEnvironment } from '../base/child-environment.ts';
import { makePrivateDirectory } from '../host/atomic-file.ts';
import type { SystemUser } from '../host/system-user.ts';
import { cannotExecute } from './cannot-execute.ts';
import { controlGroup } from './control-group.ts';
import type { ProcessEnd, ProgramSpec } from './launcher.ts';
import { OutputFile } from './output-file.ts';
import type { Started, Starter } from './starter.ts';

/**
 * Starts each program itself, in a process group of its own with its output in a file, so that no
 * end of the agent, however hard, reaches it: survival rule 1 of the design.
 */
export class DirectStarter implements Starter {
  readonly #directory: string;
  readonly #user: SystemUser | null;

  /** `user` null: that of the agent. */
  constructor({ directory, user }: { directory: string; user: SystemUser | null }) {
    this.#directory = directory;
    this.#user = user;
  }

  async start(spec: ProgramSpec): Promise<Started> {
    await makePrivateDirectory(this.#directory).catch(() => undefined); // see OutputFile.open
    const output = await this.#output(spec).open();
    try {
      const child = spawn(spec.command, spec.args, {
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
        cwd: '/',
        env: childEnvironment(spec.environment),
        ...(this.#user ? { uid: this.#user.uid, gid: this.#user.gid } : {}),
      });
      // Listened for from the start: a program that ends at once is over before the next await is.
      const ended = new Promise<ProcessEnd>((resolve) => {
        child.once('exit', (code, signal) => resolve({ code, signal }));
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', (cause) => reject(cannotExecute(spec, cause)));
      });
      child.unref();
      return { pid: child.pid ?? 0, ended };
    } finally {
      await output.close();
    }
  }

  /** It keeps no list of its own. */
  find(): Promise<null> {
    return Promise.resolve(null);
  }

  /** Its children begin in its own. */
  isOurGroup(_: ProgramSpec, group: string): boolean {
    return group === controlGroup('self');
  }

  /** Only a parent learns that. */
  howEnded(): Promise<ProcessEnd> {
    return Promise.resolve({ code: null, signal: null });
  }

  lastOutput(spec: ProgramSpec): Promise<string> {
    return this.#output(spec).lastLines();
  }

  tidy(spec: ProgramSpec): Promise<void> {
    return this.#output(spec).rotate();
  }

  #output(spec: ProgramSpec): OutputFile {
    return new OutputFile(path.join(this.#directory, `${spec.name}.out`));
  }
}
