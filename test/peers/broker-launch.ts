import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { lastLines, startChild } from './child.ts';
import { freePorts } from './free-ports.ts';
import { isRunning, killTrees } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';

/** Everything that is needed to use or stop a running broker, also from another process. */
export interface BrokerDescription {
  /** AMQP, on 127.0.0.1 as everything else. */
  port: number;
  user: string;
  password: string;
  /** Holds all files of the broker; HOME of its processes (the Erlang cookie). */
  directory: string;
  nodeName: string;
  epmdPort: number;
  distributionPort: number;
  server: ProcessIdentity;
  epmd: ProcessIdentity;
}

/** Debian's package files, without the wrapper in /usr/sbin that changes to another user. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';
/** A start takes 5 to 6 s on two shared cores, most of it for loading Erlang modules. */
const START_TIMEOUT_MS = 90_000;

/**
 * Starts a private RabbitMQ in `directory` and resolves when it accepts connections.
 *
 * @param settings more lines of its rabbitmq.conf.
 */
export async function launchBroker(
  directory: string,
  settings: Record<string, string> = {},
): Promise<BrokerDescription> {
  const [port, epmdPort, distributionPort] = (await freePorts(3)) as [number, number, number];
  const plan = {
    port,
    epmdPort,
    distributionPort,
    user: `user-${randomBytes(4).toString('hex')}`,
    password: randomBytes(12).toString('hex'),
    nodeName: `k2hdkc-${randomBytes(4).toString('hex')}@localhost`,
    directory,
  };
  await writeFiles(plan, settings);
  // The server would start an epmd too, but as a daemon that outlives it.
  const epmdArgs = ['-port', String(epmdPort), '-address', '127.0.0.1'];
  const epmd = await startLogged(plan, '/usr/bin/epmd', epmdArgs);
  try {
    return { ...plan, server: await startServer(plan), epmd };
  } catch (error) {
    await killTrees([epmd]);
    throw error;
  }
}

/** Everything about a broker that stays the same when its server is started again. */
type BrokerPlan = Omit<BrokerDescription, 'server' | 'epmd'>;

/** Starts the server of a broker whose epmd runs, and resolves when it accepts connections. */
export async function startServer(plan: BrokerPlan): Promise<ProcessIdentity> {
  const server = await startLogged(plan, SERVER, []);
  try {
    await waitForPort(plan.port, server);
    return server;
  } catch (error) {
    await killTrees([server]);
    const said = await lastLines(logOf(plan));
    throw new Error(`RabbitMQ did not start:\n${said}`, { cause: error });
  }
}

async function startLogged(
  plan: BrokerPlan,
  command: string,
  args: string[],
): Promise<ProcessIdentity> {
  const file = await open(logOf(plan), 'a');
  try {
    const child = await startChild(command, args, {
      cwd: plan.directory,
      env: environment(plan),
      stdio: ['ignore', file.fd, file.fd],
    });
    child.process.unref(); // it must not keep us alive: it ends when we do
    return child.identity;
  } finally {
    await file.close();
  }
}

function logOf({ directory }: BrokerPlan): string {
  return path.join(directory, 'server.log');
}

async function writeFiles(
  { directory, port, user, password }: BrokerPlan,
  settings: Record<string, string>,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  // default_user takes the place of guest, which is then never made.
  const configuration = {
    'listeners.tcp.1': `127.0.0.1:${port}`,
    default_user: user,
    default_pass: password,
    'log.console': 'false',
    'disk_free_limit.absolute': '1MB',
    ...settings,
  };
  const lines = Object.entries(configuration).map(([key, value]) => `${key} = ${value}\n`);
  await writeFile(path.join(directory, 'rabbitmq.conf'), lines.join(''));
  await writeFile(path.join(directory, 'enabled_plugins'), '[].\n');
  const cookie = path.join(directory, '.erlang.cookie');
  await writeFile(cookie, randomBytes(16).toString('hex'));
  await chmod(cookie, 0o400);
}

/** Settings of rabbitmq-server(8): every file in the directory, every port on loopback. */
function environment(plan: BrokerPlan): Record<string, string> {
  const inside = (name: string): string => path.join(plan.directory, name);
  return {
    PATH: '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: plan.directory,
    ERL_EPMD_PORT: String(plan.epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RUNNING_UNDER_SYSTEMD: 'true', // the script becomes the server instead of waiting for it
    RABBITMQ_NODENAME: plan.nodeName,
    RABBITMQ_DIST_PORT: String(plan.distributionPort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_CONF_ENV_FILE: inside('rabbitmq-env.conf'),
    RABBITMQ_CONFIG_FILE: inside('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: inside('advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: inside('enabled_plugins'),
    RABBITMQ_MNESIA_BASE: inside('mnesia'),
    RABBITMQ_LOG_BASE: inside('log'),
    RABBITMQ_PID_FILE: inside('rabbitmq.pid'),
  };
}

async function waitForPort(port: number, server: ProcessIdentity): Promise<void> {
  const deadline = systemClock.monotonic() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (!isRunning(server)) throw new Error('the server ended');
    if (systemClock.monotonic() > deadline) throw new Error(`not up in ${START_TIMEOUT_MS} ms`);
    await sleep(systemClock, 50);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
