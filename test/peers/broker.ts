import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { launchBroker, startServer } from './broker-launch.ts';
import type { BrokerDescription } from './broker-launch.ts';
import { killTrees, signal } from './processes.ts';

/** How long a node is tried that erl_call cannot connect to, in milliseconds. */
const CONNECT_PATIENCE_MS = 30_000;

export type { BrokerDescription } from './broker-launch.ts';

/** A queue as the broker sees it. */
export interface QueueInfo {
  name: string;
  /** Ready and unacknowledged together. */
  messages: number;
  unacknowledged: number;
  consumers: number;
  durable: boolean;
  autoDelete: boolean;
  arguments: Record<string, unknown>;
}

/** An exchange as the broker sees it. */
export interface ExchangeInfo {
  name: string;
  type: string;
  durable: boolean;
  autoDelete: boolean;
  arguments: Record<string, unknown>;
}

/** How a TLS listener shows itself: PEM files. */
export interface TlsListenerOptions {
  caFile: string;
  certFile: string;
  keyFile: string;
  /** Whether clients must show a certificate of that CA. */
  clientCertificate: boolean;
}

/**
 * Starts a private RabbitMQ whose files are all in `directory`; about 5 s.
 *
 * @param settings more lines of its rabbitmq.conf. Default: none.
 */
export async function startBroker(
  directory: string,
  settings: Record<string, string> = {},
): Promise<Broker> {
  return new Broker(await launchBroker(directory, settings));
}

/**
 * A running private broker. It can be made from its description in any process, so that all test
 * files use the one that the run started. Commands go to the node through Erlang's own erl_call,
 * which takes 25 ms where rabbitmqctl takes a second.
 */
export class Broker {
  readonly description: BrokerDescription;

  constructor(description: BrokerDescription) {
    this.description = description;
  }

  /**
   * Makes a vhost that the broker's user may use for everything; resolves with its name.
   *
   * @param type of queues that are declared without one. Default: that of the broker, classic.
   */
  async createVhost(
    name = `t-${randomBytes(6).toString('hex')}`,
    type?: 'quorum',
  ): Promise<string> {
    const [vhost, user] = [binary(name), binary(this.description.user)];
    const metadata = type === undefined ? '' : `default_queue_type => ${binary(type)}`;
    await this.#evaluate(
      `ok = rabbit_vhost:add(${vhost}, #{${metadata}}, ${user}), ` +
        `rabbit_auth_backend_internal:set_permissions(` +
        `${user}, ${vhost}, <<".*">>, <<".*">>, <<".*">>, ${user}), null`,
    );
    return name;
  }

  /** Deletes a vhost with all its queues; its connections are closed. */
  async deleteVhost(name: string): Promise<void> {
    const user = binary(this.description.user);
    await this.#evaluate(`rabbit_vhost:delete(${binary(name)}, ${user}), null`);
  }

  /** Makes a user who may use a vhost for everything. */
  async addUser(name: string, password: string, vhost: string): Promise<void> {
    const acting = binary(this.description.user);
    await this.#evaluate(
      `ok = rabbit_auth_backend_internal:add_user(` +
        `${binary(name)}, ${binary(password)}, ${acting}), ` +
        `rabbit_auth_backend_internal:set_permissions(${binary(name)}, ${binary(vhost)}, ` +
        `<<".*">>, <<".*">>, <<".*">>, ${acting}), null`,
    );
  }

  /** The transport_url of a vhost, as in Trove's configuration. */
  url(vhost: string): string {
    const { user, password, port } = this.description;
    return `rabbit://${user}:${password}@127.0.0.1:${port}/${encodeURIComponent(vhost)}`;
  }

  /** All queues of a vhost. */
  async listQueues(vhost: string): Promise<QueueInfo[]> {
    const keys = 'messages, messages_unacknowledged, consumers, durable, auto_delete, arguments';
    const queues = await this.#evaluate(
      `[begin I = maps:from_list(rabbit_amqqueue:info(Q, [name, ${keys}])), ` +
        `#{name => element(4, maps:get(name, I)), ` +
        `messages => maps:get(messages, I), ` +
        `unacknowledged => maps:get(messages_unacknowledged, I), ` +
        `consumers => maps:get(consumers, I), ` +
        `durable => maps:get(durable, I), ` +
        `autoDelete => maps:get(auto_delete, I), ` +
        `arguments => rabbit_misc:amqp_table(maps:get(arguments, I))} end ` +
        `|| Q <- rabbit_amqqueue:list(${binary(vhost)})]`,
    );
    return queues as QueueInfo[];
  }

  /** The exchanges of a vhost that somebody declared. */
  async listExchanges(vhost: string): Promise<ExchangeInfo[]> {
    const exchanges = (await this.#evaluate(
      `[begin I = maps:from_list(rabbit_exchange:info(X, ` +
        `[name, type, durable, auto_delete, arguments])), ` +
        `#{name => element(4, maps:get(name, I)), ` +
        `type => maps:get(type, I), ` +
        `durable => maps:get(durable, I), ` +
        `autoDelete => maps:get(auto_delete, I), ` +
        `arguments => rabbit_misc:amqp_table(maps:get(arguments, I))} end ` +
        `|| X <- rabbit_exchange:list(${binary(vhost)})]`,
    )) as ExchangeInfo[];
    return exchanges.filter(({ name }) => name !== '' && !name.startsWith('amq.'));
  }

  /** One queue of a vhost; undefined when it is not there. */
  async queue(vhost: string, name: string): Promise<QueueInfo | undefined> {
    return (await this.listQueues(vhost)).find((queue) => queue.name === name);
  }

  /** Deletes a queue under its consumers, who get a basic.cancel. */
  async deleteQueue(vhost: string, name: string): Promise<void> {
    await this.#evaluate(
      `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(${binary(vhost)}, queue, ` +
        `${binary(name)})), {ok, _} = rabbit_amqqueue:delete(Q, false, false, ` +
        `${binary(this.description.user)}), null`,
    );
  }

  /** Has the broker itself publish a message, which it does in a memory alarm too. */
  async publish(vhost: string, exchange: string, routingKey: string, body: string): Promise<void> {
    await this.#evaluate(
      `ok = rabbit_basic:publish(rabbit_misc:r(${binary(vhost)}, exchange, ${binary(exchange)}), ` +
        `${binary(routingKey)}, [], ${binary(body)}), null`,
    );
  }

  /** Closes connections as an operator does (320 CONNECTION_FORCED); resolves with how many. */
  closeAllConnections(vhost?: string): Promise<number> {
    return this.#endConnections('rabbit_networking:close_connection(Pid, "test")', vhost);
  }

  /** Ends connections without a word of AMQP, as a broken network does; resolves with how many. */
  cutAllConnections(vhost?: string): Promise<number> {
    return this.#endConnections('exit(Pid, kill)', vhost);
  }

  /** Freezes the broker: connections stay open and nothing answers, in any vhost. */
  pause(): void {
    signal(this.description.server, 'SIGSTOP');
  }

  /** Lets a frozen broker go on. */
  resume(): void {
    signal(this.description.server, 'SIGCONT');
  }

  /** Has the broker speak TLS on one more port, in its own way. */
  async startTlsListener(port: number, options: TlsListenerOptions): Promise<void> {
    const { caFile, certFile, keyFile, clientCertificate } = options;
    await this.#evaluate(
      `rabbit_networking:ensure_ssl(), ok = rabbit_networking:start_ssl_listener(` +
        `{"127.0.0.1", ${port}, inet}, [{cacertfile, ${text(caFile)}}, ` +
        `{certfile, ${text(certFile)}}, {keyfile, ${text(keyFile)}}, ` +
        `{verify, ${clientCertificate ? 'verify_peer' : 'verify_none'}}, ` +
        `{fail_if_no_peer_cert, ${clientCertificate}}], 4), null`,
    );
  }

  /** Raises the memory alarm, as rabbitmqctl set_vm_memory_high_watermark does, or clears it. */
  async setMemoryAlarm(on: boolean): Promise<void> {
    await this.#evaluate(
      `vm_memory_monitor:set_vm_memory_high_watermark(${on ? '1.0e-9' : '0.4'}), null`,
    );
  }

  /**
   * Has the broker lose power: what is not durable is gone. Resolves when it accepts again. What is
   * durable is on the disk before, which Mnesia otherwise leaves for some seconds.
   */
  async restart(): Promise<void> {
    await this.#evaluate('ok = mnesia:sync_log(), null');
    await killTrees([this.description.server]);
    this.description.server = await startServer(this.description);
  }

  /** Ends the broker and everything that it started. The directory stays. */
  async stop(): Promise<void> {
    await killTrees([this.description.server, this.description.epmd]);
  }

  async #endConnections(how: string, vhost: string | undefined): Promise<number> {
    const wanted = vhost === undefined ? '_' : binary(vhost);
    const ended = await this.#evaluate(
      `Pids = [Pid || [{pid, Pid}, {vhost, ${wanted}}] <- ` +
        `rabbit_networking:connection_info_all([pid, vhost])], ` +
        `[${how} || Pid <- Pids], length(Pids)`,
    );
    return ended as number;
  }

  /** Evaluates Erlang in the node; the value of the last expression comes back as JSON. */
  async #evaluate(expressions: string): Promise<unknown> {
    const end = systemClock.monotonic() + CONNECT_PATIENCE_MS;
    for (;;) {
      const { json, complaint } = await this.#erlCall(expressions);
      if (json !== undefined) return JSON.parse(json);
      // Two erl_call at the same moment, or a slow node: nothing was evaluated.
      const again = complaint.includes('failed to connect') && systemClock.monotonic() < end;
      if (!again) throw new Error(`RabbitMQ refused ${expressions}: ${complaint}`);
      await sleep(systemClock, 100);
    }
  }

  #erlCall(expressions: string): Promise<{ json: string | undefined; complaint: string }> {
    const { directory, distributionPort } = this.description;
    const program = `io:put_chars(rabbit_json:encode(begin ${expressions} end)).\n`;
    const args = ['-address', `127.0.0.1:${distributionPort}`, '-e', '-fetch_stdout'];
    const options = { env: { HOME: directory, PATH: '/usr/bin' }, timeout: 30_000 };
    return new Promise((resolve) => {
      const child = execFile('/usr/bin/erl_call', args, options, (error, stdout, stderr) => {
        const json = /^(.*)\{ok, ok\}\s*$/s.exec(stdout)?.[1];
        resolve({ json: error === null ? json : undefined, complaint: `${stdout}${stderr}` });
      });
      // It may have ended already; what it says is told above.
      child.stdin?.on('error', () => undefined).end(program);
    });
  }
}

/** An Erlang binary literal. */
function binary(value: string): string {
  return `<<${text(value)}/utf8>>`;
}

/** An Erlang string literal. */
function text(value: string): string {
  const plain = value.replaceAll(/["\\]/g, String.raw`\$&`);
  return `"${plain.replaceAll(/[^ -~]/gu, (char) => `\\x{${char.codePointAt(0)?.toString(16)}}`)}"`;
}
