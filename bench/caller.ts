import path from 'node:path';
import { PythonProcess } from '../test/peers/trove/python-process.ts';
import { PYTHON_PATH, type Guest } from './guests.ts';

/** How a round of calls went, in seconds. */
export interface Round {
  each: number[];
  together: number;
}

/** The real oslo client, timed from inside. */
export class Caller {
  readonly #python: PythonProcess;

  private constructor(python: PythonProcess) {
    this.#python = python;
  }

  /** `configFile` is that of a Trove on the same broker. */
  static async start(directory: string, configFile: string): Promise<Caller> {
    const logFile = path.join(directory, 'caller.log');
    const python = await PythonProcess.start({
      module: 'trove_bench.caller',
      args: ['--config-file', configFile, '--log-file', logFile],
      path: PYTHON_PATH,
      directory,
      logFile,
    });
    await python.event('ready');
    return new Caller(python);
  }

  /** Calls rpc_ping `calls` times, `callers` at a time. */
  async ping({ id, key }: Guest, calls: number, callers: number): Promise<Round> {
    return (await this.#python.request('ping', { id, key, calls, callers })) as Round;
  }

  async stop(): Promise<void> {
    await this.#python.stop();
  }
}
