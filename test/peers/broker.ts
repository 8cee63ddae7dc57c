import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { launchBroker } from './broker-launch.ts';
import type { BrokerDescription } from './broker-launch.ts';
import { killTrees, signal } from './processes.ts';

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

/** Starts a private RabbitMQ whose files are all in `directory`; about 5 s. */
export async function startBroker(directory: string): Promise<Broker> {
  return new Broker(await launchBroker(directory));
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

  /** Makes a vhost that the broker's user may use for everything; resolves with its name. */
  async createVhost(name = `t-${randomBytes(6).toString('hex')}`): Promise<string> {
    const [vhost, user] = [binary(name), binary(this.description.user)];
    await this.#evaluate(
      `ok = rabbit_vhost:add(${vhost}, ${user}), ` +
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
  #evaluate(expressions: string): Promise<unknown> {
    const { directory, distributionPort } = this.description;
    const program = `io:put_chars(rabbit_json:encode(begin ${expressions} end)).\n`;
    const args = ['-address', `127.0.0.1:${distributionPort}`, '-e', '-fetch_stdout'];
    const options = { env: { HOME: directory, PATH: '/usr/bin' }, timeout: 30_000 };
    return new Promise((resolve, reject) => {
      const child = execFile('/usr/bin/erl_call', args, options, (error, stdout, stderr) => {
        const json = /^(.*)\{ok, ok\}\s*$/s.exec(stdout)?.[1];
        if (error === null && json !== undefined) resolve(JSON.parse(json));
        else reject(new Error(`RabbitMQ refused ${expressions}: ${stdout}${stderr}`));
      });
      child.stdin?.end(program);
    });
  }
}

/** An Erlang binary literal. */
function binary(text: string): string {
  return `<<"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"/utf8>>`;
}
