import type { GuestResults, HandledMethod } from './handled-methods.ts';

/** What a reader of docs/rpc-methods.md is told about a method that has a handler. */
interface MethodNote<M> {
  /** What it means here, in a sentence. */
  readonly does: string;
  /** Each field of what it answers, or what the answer is; null when it answers null. */
  readonly answer: M extends keyof GuestResults ? AnswerNote<GuestResults[M]> : null;
  /** The exceptions of its own, each with when it is thrown. */
  readonly errors: readonly (readonly [exception: Exception, when: string])[];
  /** Runs as an operation: journalled, one after the other, within Trove's time limit. */
  readonly operation: boolean;
}

type Exception = 'BadRequest' | 'GuestError' | 'LogAccessForbidden' | 'NotFound' | 'TroveError';

type AnswerNote<R> = R extends readonly unknown[]
  ? string
  : R extends object
    ? { readonly [K in keyof R]: string }
    : string;

const NOT_PREPARED = ['TroveError', 'prepare is not over, or has failed'] as const;
const SUPERSEDED = ['GuestError', 'a later request has taken its place'] as const;
const NO_LOG = ['GuestError', 'the log cannot be read, or Swift does not take or give it'] as const;
const STAYS = ['GuestError', 'this node cannot leave the ring; it stays a member'] as const;

/**
 * The page docs/rpc-methods.md is made from this and from the tables of methods. The types see to it
 * that no method and no field of an answer is missing.
 */
export const METHOD_NOTES: { readonly [M in HandledMethod]: MethodNote<M> } = {
  prepare: {
    does:
      'Makes this VM a node and joins the cluster of `overrides`; without any it ends prepared and ' +
      'detached. Ends in notify_end, or in `failed to spawn` and notify_exc_info.',
    answer: null,
    errors: [['TroveError', 'this instance is prepared already; nothing changes']],
    operation: true,
  },
  rebuild: {
    does:
      'Prepares this VM again after it got a new image, and joins the cluster of ' +
      '`config_overrides`: `building`, then `healthy` or `failed to spawn`. What makes no sense ' +
      'leaves a prepared node as it is.',
    answer: null,
    errors: [],
    operation: true,
  },
  create_backup: {
    does:
      'Sends the data of this node to Swift, as the user who asks. Trove hears BUILDING, then one ' +
      'of COMPLETED and FAILED; the fault of the instance shows why. See backup.md.',
    answer: null,
    errors: [],
    operation: true,
  },
  cluster_complete: {
    does:
      'The first ends the installation. Another one, on a member of a cluster, leaves the ring and ' +
      'unregisters: Trove is about to delete this node.',
    answer: null,
    errors: [NOT_PREPARED, SUPERSEDED, STAYS],
    operation: true,
  },
  restart: {
    does: 'Stops and starts chmpx and k2hdkc, and ends a stop_db.',
    answer: null,
    errors: [NOT_PREPARED, SUPERSEDED],
    operation: true,
  },
  stop_db: {
    does: 'Stops both programs until restart, start_db_with_conf_changes or a new boot.',
    answer: null,
    errors: [SUPERSEDED],
    operation: true,
  },
  start_db_with_conf_changes: {
    does:
      'Ends a stop_db; a node that serves goes on untouched. `config_contents` is a template of ' +
      'Trove without anything for K2HDKC, and is not read.',
    answer: null,
    errors: [NOT_PREPARED, SUPERSEDED],
    operation: true,
  },
  update_overrides: {
    does:
      'Attaches the configuration group and joins its cluster, leaving the one it was in; with ' +
      '`remove` detaches it and leaves.',
    answer: null,
    errors: [
      NOT_PREPARED,
      SUPERSEDED,
      STAYS,
      ['GuestError', 'the configuration group cannot be used; every wrong key is named'],
    ],
    operation: true,
  },
  apply_overrides: {
    does: 'Nothing: update_overrides has done it.',
    answer: null,
    errors: [],
    operation: false,
  },
  get_filesystem_stats: {
    does: 'Measures the file system of the data directory, whatever `fs_path` says.',
    answer: {
      block_size: 'bytes',
      total_blocks: 'blocks',
      free_blocks: 'blocks',
      avail_blocks: 'blocks that are not kept for root',
      total: 'GiB, two digits',
      free: 'bytes',
      used: 'GiB, two digits',
    },
    errors: [['TroveError', 'the data directory cannot be measured']],
    operation: false,
  },
  get_hwinfo: {
    does: 'Memory and CPUs of this VM.',
    answer: { mem_total: 'KiB', num_cpus: 'CPUs that are online' },
    errors: [],
    operation: false,
  },
  get_diagnostics: {
    does: 'Figures of the agent itself, not of k2hdkc: /proc/self/status.',
    answer: {
      version: 'of the agent',
      threads: 'number',
      fd_size: 'room for file descriptors',
      vm_size: 'KiB',
      vm_peak: 'KiB',
      vm_rss: 'KiB',
      vm_hwm: 'KiB',
    },
    errors: [['TroveError', 'the kernel does not tell']],
    operation: false,
  },
  rpc_ping: {
    does: 'Tells that the agent is there.',
    answer: '`true`',
    errors: [],
    operation: false,
  },
  guest_log_list: {
    does: 'The logs that the caller may see.',
    answer: 'a list of what guest_log_action answers',
    errors: [NO_LOG],
    operation: false,
  },
  guest_log_action: {
    does:
      'Shows a log (`agent`, `chmpx` or `k2hdkc`), enables or disables it, removes what is published of it ' +
      'or publishes what is new. Publishing enables, unless `disable` says otherwise.',
    answer: {
      name: 'of the log',
      type: '`SYS` for `agent`, `USER` for the others',
      status: '`Disabled`, `Enabled`, `Unavailable`, `Ready`, `Partial` or `Published`',
      published: 'bytes of the log',
      pending: 'bytes that are not published; counted up to 64 MiB',
      container: 'in Swift; `None` while nothing is published',
      prefix: 'of the objects; `None` while nothing is published',
      metafile: 'object that says how far the log is published',
    },
    errors: [
      ['NotFound', 'there is no such log'],
      ['LogAccessForbidden', 'the caller is no administrator, and the log is not exposed'],
      ['BadRequest', 'enable with disable, or one of them without publish for `agent`'],
      NO_LOG,
    ],
    operation: false,
  },
};
