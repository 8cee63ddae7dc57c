import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { projectRoot } from '../../helpers/project-root.ts';
import type { SwiftAccount } from '../swift/account.ts';
import type { TrovePeer } from './trove-peer.ts';

const PROGRAM = path.join(projectRoot, 'test/peers/trove/trove_logs.py');

/** A log command of Trove's client. */
type LogCommand =
  | 'log-list'
  | 'log-show'
  | 'log-enable'
  | 'log-disable'
  | 'log-publish'
  | 'log-discard'
  | 'log-tail'
  | 'log-save';

/** Who runs the commands. */
export interface LogUser {
  account: SwiftAccount;
  isAdmin: boolean;
}

/**
 * Runs the log commands of the real python-troveclient. Between it and the real guest client of Trove stands what
 * the log part of Trove's API does (trove/instance/service.py): it hands on what it is given.
 */
export class LogClient {
  readonly #server: Server;
  readonly #user: LogUser;

  private constructor(server: Server, user: LogUser) {
    this.#server = server;
    this.#user = user;
  }

  static async start(trove: TrovePeer, user: LogUser): Promise<LogClient> {
    const server = createServer((request, response) => {
      answer(trove, user, request).then(
        (body) => send(response, 200, body),
        (error: unknown) => send(response, 500, failure(error)),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LogClient(server, user);
  }

  /** Runs a command; resolves with what it prints, and rejects with the traceback when it fails. */
  async run(
    command: LogCommand,
    instance: string,
    log?: string,
    more: Record<string, unknown> = {},
  ): Promise<string> {
    const { port } = this.#server.address() as AddressInfo;
    const { url, token } = this.#user.account;
    const child = spawn('/usr/bin/python3', [PROGRAM], {
      env: { PATH: '/usr/bin:/bin', PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const given = { instance, log_name: log, ...DEFAULTS, ...more };
    const api = `http://127.0.0.1:${port}`;
    child.stdin.end(JSON.stringify({ api, swift_url: url, token, command, arguments: given }));
    const [said, complaint, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    if (code !== 0) throw new Error(`${command} failed: ${complaint.slice(-2000)}`);
    return said;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Of the arguments that a command may have. */
const DEFAULTS = { lines: 50, file: null, disable: false, discard: false };

async function answer(
  trove: TrovePeer,
  { account, isAdmin }: LogUser,
  request: IncomingMessage,
): Promise<unknown> {
  const [, id = '', what] = /^\/instances\/([^/]+)(\/log)?$/.exec(request.url ?? '') ?? [];
  const how = { authToken: account.token, isAdmin };
  if (what === undefined) return { instance: { id, name: id } };
  if (request.method === 'GET') return { logs: await trove.api(id, 'guest_log_list', {}, how) };
  const { name, ...asked } = JSON.parse(await text(request)) as Record<string, unknown>;
  const { enable = null, disable = null, publish = null, discard = null } = asked;
  const args = { log_name: name, enable, disable, publish, discard };
  return { log: await trove.api(id, 'guest_log_action', args, how) };
}

/** As Trove's API wraps an error. */
function failure(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error);
  return { computeFault: { code: 500, message } };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
