import * as v from 'valibot';
import { HIGHEST_PORT } from '../base/highest-port.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../base/log.ts';
import { isCidr } from '../network/cidr.ts';

/** Who starts chmpx and k2hdkc: the agent itself, or systemd as units of their own. */
export const LAUNCHERS = ['direct', 'systemd'] as const;

const absolutePath = v.pipe(
  v.string(),
  v.startsWith('/', 'must be an absolute path'),
  v.check((text) => !/[\n\0]/.test(text), 'must be one line'),
);
/** A year: nothing here waits longer, and what is no finite number would never end. */
const MOST_SECONDS = 31_536_000;
const seconds = (least: number) =>
  v.pipe(
    v.number('must be a number of seconds'),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(MOST_SECONDS, `must be at most ${MOST_SECONDS}`),
  );
const whole = (least: number, most: number) =>
  v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(most, `must be at most ${most}`),
  );
const port = v.pipe(
  v.number('must be a number'),
  v.integer('must be a whole number'),
  v.minValue(1, 'must be at least 1'),
  v.maxValue(
    HIGHEST_PORT,
    `must be at most ${HIGHEST_PORT}: chmpx reads a higher port as a negative number`,
  ),
);
const command = v.pipe(v.string(), v.nonEmpty('must name a program'));
const userName = v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]*$/i, 'must be the name of a user'));
const hostName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9._:-]+$/, 'must be a host name or an address'),
);

/** The words of `node.network`. */
const NETWORKS = ['auto', 'user', 'management'];
const network = v.pipe(
  v.string('must be text'),
  v.check(
    (text) => NETWORKS.includes(text) || isCidr(text),
    'must be auto, user, management, or a network as ADDRESS/LENGTH',
  ),
);

/** What chmpx reads behind `KEY =`; src/ini/model/ini-overrides.ts checks each. */
const iniKeys = v.nullish(
  v.record(
    v.string(),
    v.union(
      [v.string(), v.number(), v.boolean()],
      'must be a word, a number, true or false: put anything else in quotes',
    ),
  ),
  {},
);
/** Marks a value that no message may show. */
const SECRET = v.metadata<string, { isSecret: true }>({ isSecret: true });
const secretUrl = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^\s]+$/, 'must be an http or https URL'),
  SECRET,
);

/**
 * Everything that agent.yaml can say, with its defaults. config/agent.yaml documents each key for
 * the operator; a test keeps the two alike.
 */
export const agentConfigSchema = v.strictObject({
  mode: v.optional(v.picklist(['server', 'slave']), 'server'),
  paths: v.strictObject({
    state_dir: v.optional(absolutePath, '/var/lib/k2hdkc-guest-agent'),
    markers_dir: v.optional(absolutePath, '/opt/trove-guestagent'),
    ini_file: v.optional(
      v.pipe(absolutePath, v.endsWith('.ini', 'must end with .ini: chmpx goes by the suffix')),
      '/etc/antpickax/k2hdkc.ini',
    ),
    instance_id_file: v.optional(absolutePath, '/var/lib/cloud/data/instance-id'),
    data_dir: v.optional(v.nullable(absolutePath), null),
    shared_dir: v.optional(absolutePath, '/var/lib/antpickax'),
    user_port_file: v.optional(absolutePath, '/etc/trove/eth1.json'),
    role_dirs: v.optional(v.array(absolutePath, 'must be a list of folders'), []),
  }),
  log: v.strictObject({
    level: v.optional(v.picklist(LOG_LEVELS), 'info'),
    format: v.optional(v.picklist(LOG_FORMATS), 'journal'),
  }),
  node: v.strictObject({
    network: v.optional(network, 'auto'),
    name: v.optional(v.nullable(hostName), null),
    source_address: v.optional(v.nullable(v.pipe(v.string(), v.ip('must be an address'))), null),
    source_routing: v.optional(v.boolean('must be true or false'), true),
  }),
  programs: v.strictObject({
    chmpx: v.optional(command, 'chmpx'),
    k2hdkc: v.optional(command, 'k2hdkc'),
    chmpxstatus: v.optional(command, 'chmpxstatus'),
    k2hlinetool: v.optional(command, 'k2hlinetool'),
    launcher: v.optional(v.nullable(v.picklist(LAUNCHERS)), null),
    user: v.optional(v.nullable(userName), null),
  }),
  k2hr3: v.strictObject({
    ca_file: v.optional(v.nullable(absolutePath), null),
    connect_timeout: v.optional(seconds(0.1), 5),
    total_timeout: v.optional(seconds(0.1), 30),
    poll_interval: v.optional(seconds(0.05), 5),
    changing_poll_interval: v.optional(seconds(0.05), 0.5),
    retry_first: v.optional(seconds(0.05), 1),
    retry_cap: v.optional(seconds(0.05), 60),
  }),
  cluster: v.strictObject({
    server_port: v.optional(v.nullable(port), null),
    server_control_port: v.optional(v.nullable(port), null),
    slave_control_port: v.optional(v.nullable(port), null),
    control_host: v.optional(hostName, '127.0.0.1'),
    merge: v.optional(v.picklist(['automatic', 'coordinated']), 'coordinated'),
    merge_limit: v.optional(seconds(1), 300),
    hang_after: v.optional(seconds(0.1), 8),
    change_wait: v.optional(seconds(0), 60),
    take_over_after: v.optional(seconds(1), 20),
    gather_for: v.optional(seconds(0), 5),
    ring_stable_for: v.optional(seconds(0), 1),
    join_after: v.optional(seconds(0), 20),
    start_spacing: v.optional(seconds(0), 1.5),
    start_timeout: v.optional(seconds(1), 60),
    stuck_after: v.optional(seconds(0.1), 5),
    split_after: v.optional(seconds(1), 20),
    watch_after_change: v.optional(seconds(0), 10),
    adopted_check_interval: v.optional(seconds(0.01), 0.2),
    status_interval: v.optional(seconds(0.05), 10),
    changing_status_interval: v.optional(seconds(0.05), 0.15),
    stop_wait: v.optional(seconds(1), 20),
    stop_leave_limit: v.optional(seconds(0), 10),
    leave_limit: v.optional(seconds(1), 170),
    restart_first: v.optional(seconds(0), 0),
    restart_second: v.optional(seconds(0.05), 0.5),
    restart_cap: v.optional(seconds(0.05), 30),
    crashes_until_crashed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 5),
    leave_on_second_cluster_complete: v.optional(v.boolean('must be true or false'), true),
    first_cluster_complete_within: v.optional(seconds(1), 2100),
    rejoin_after: v.optional(seconds(1), 600),
  }),
  ini: v.strictObject({
    global: iniKeys,
    server: iniKeys,
    slave: iniKeys,
    k2hdkc: iniKeys,
  }),
  slave: v.strictObject({
    registration_url: v.optional(v.nullable(secretUrl), null),
    role_token: v.optional(
      v.nullable(v.pipe(v.string('must be text: put it in quotes'), SECRET)),
      null,
    ),
    role_name: v.optional(v.nullable(v.string()), null),
    api_uri: v.optional(v.nullable(secretUrl), null),
    user_data_file: v.optional(absolutePath, '/var/lib/cloud/instance/user-data.txt'),
    cluster_name: v.optional(v.nullable(v.string()), null),
    install_packages: v.optional(v.boolean('must be true or false'), false),
    leave_timeout: v.optional(seconds(1), 20),
  }),
  amqp: v.strictObject({
    reconnect_first: v.optional(seconds(0), 0),
    reconnect_second: v.optional(seconds(0.01), 0.25),
    reconnect_cap: v.optional(seconds(0.05), 4),
    reconnect_late_after: v.optional(seconds(0), 300),
    reconnect_late_cap: v.optional(seconds(0.05), 24),
    largest_message: v.optional(whole(1, 128), 4),
  }),
  backup: v.strictObject({
    ca_file: v.optional(v.nullable(absolutePath), null),
    level: v.optional(whole(0, 9), 1),
    segment_size: v.optional(whole(1, 2048), 2048),
    snapshot_timeout: v.optional(seconds(1), 3600),
  }),
  trove: v.strictObject({
    heartbeat_interval: v.optional(
      v.pipe(seconds(1), v.maxValue(60, 'must be at most 60: Trove gives an agent up at 90')),
      30,
    ),
    repeat_after_change: v.optional(seconds(0.1), 2),
    repeat_after_delivery: v.optional(seconds(0.1), 15),
    prepare_timeout: v.optional(seconds(1), 1500),
    restore_timeout: v.optional(seconds(1), 2000),
    reply_margin: v.optional(seconds(0), 2),
  }),
});

/** agent.yaml, checked and complete: snake_case keys as in the file, times in seconds. */
export type AgentConfig = v.InferOutput<typeof agentConfigSchema>;
