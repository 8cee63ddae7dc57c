import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { projectRoot } from '../../helpers/project-root.ts';
import { PythonProcess } from '../trove/python-process.ts';

/** The folder of another oslo.messaging than Debian's, to let that judge by hand; undefined: Debian's. */
export const OTHER_OSLO = process.env['OSLO_MESSAGING'];
const PYTHON_PATH = [path.join(projectRoot, 'test/peers/oslo'), OTHER_OSLO]
  .filter((folder) => folder !== undefined)
  .join(':');

/** How a method is called. */
interface CallOptions {
  args?: Record<string, unknown>;
  /** Seconds. Default 15. */
  timeout?: number;
  /** The caller expects a sign of life within so many seconds. Default: it does not. */
  callMonitorTimeout?: number;
}

/**
 * The real oslo.messaging: RPC servers and clients in a process of their own, with the
 * configuration that they are given.
 */
export class OsloPeer {
  readonly #process: PythonProcess;

  private constructor(process: PythonProcess) {
    this.#process = process;
  }

  /** `config` is the text of a file as trove-guestagent.conf; about 1 s. */
  static async start(directory: string, config: string): Promise<OsloPeer> {
    const file = path.join(directory, 'oslo.conf');
    await writeFile(file, config, { mode: 0o600 });
    const python = await PythonProcess.start({
      module: 'oslo_peer',
      args: [file],
      path: PYTHON_PATH,
      directory,
      logFile: path.join(directory, 'oslo.log'),
    });
    await python.event('ready');
    return new OsloPeer(python);
  }

  /**
   * Starts an RPC server; resolves when it consumes.
   *
   * @param url where, if not at the transport_url of the file.
   */
  async startServer(topic: string, server: string, url?: string): Promise<void> {
    await this.#process.request('start_server', { topic, server, url: url ?? null });
  }

  /** Rejects with a TrovePeerError that has the class and text of the Python exception. */
  call(topic: string, method: string, options: CallOptions = {}): Promise<unknown> {
    const { args = {}, timeout = 15, callMonitorTimeout = null } = options;
    return this.#process.request('call', {
      topic,
      method,
      args,
      timeout,
      call_monitor_timeout: callMonitorTimeout,
    });
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
