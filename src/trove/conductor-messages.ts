import { isObject } from '../oslo/envelope.ts';
import type { JsonObject } from './json.ts';
import type { ServiceStatus } from './statuses.ts';

/** A cast to the conductor, before it is dated, encrypted and wrapped. */
export interface ConductorMessage {
  readonly method: 'heartbeat' | 'update_backup' | 'notify_end' | 'notify_exc_info';
  readonly args: JsonObject;
  /** Context keys without the `_context_` prefix. */
  readonly context: JsonObject;
}

/** What Trove stores about a backup; a key that is left out keeps its value there. */
export interface BackupFields {
  /** Used space of the volume in GiB. Always a number: a restore compares it. */
  readonly size?: number;
  readonly state?: 'BUILDING' | 'COMPLETED' | 'FAILED';
  readonly backup_type?: 'full';
  readonly checksum?: string;
  readonly location?: string;
  /** Sent as Python sends it; the conductor ignores it. */
  readonly success?: boolean;
}

/** Longest fault text that Trove's table `instance_faults` holds. */
const MESSAGE_LIMIT = 255;

/**
 * Characters of a request's context as JSON, of which Trove's have some thousands. What is larger is not
 * sent back: encrypted and wrapped it grows to several times that, and no broker takes any size.
 */
const LARGEST_CONTEXT = 256 * 1024;

/**
 * The message as it is sent now. Of statuses, and of states of backups, the conductor drops those
 * whose `sent` (seconds, from SentClock) is not newer than the last one; notifications have none.
 */
export function dated(message: ConductorMessage, nextSent: () => number): ConductorMessage {
  const { method, args } = message;
  if (method !== 'heartbeat' && method !== 'update_backup') return message;
  return { ...message, args: { ...args, sent: nextSent() } };
}

/** Whether it says how a backup has ended. */
export function isOutcome({ method, args }: ConductorMessage): boolean {
  return method === 'update_backup' && args['state'] !== 'BUILDING';
}

/** The status of this instance. */
export function heartbeat(instanceId: string, status: ServiceStatus): ConductorMessage {
  return {
    method: 'heartbeat',
    args: { instance_id: instanceId, payload: { service_status: status } },
    context: {},
  };
}

/** A change of a backup's row. `context` is that of the request that asked for the backup. */
export function updateBackup(
  context: JsonObject,
  instanceId: string,
  backupId: string,
  fields: BackupFields,
): ConductorMessage {
  return {
    method: 'update_backup',
    args: { instance_id: instanceId, backup_id: backupId, ...fields },
    context: isSmall(context) ? context : {},
  };
}

/**
 * The request of `context` succeeded; null when Trove did not ask to be told, or asked with a context
 * that is too large to be Trove's.
 */
export function notifyEnd(context: JsonObject, instanceId: string): ConductorMessage | null {
  const notified = notification(context, instanceId);
  if (notified === null) return null;
  return {
    method: 'notify_end',
    args: { serialized_notification: notified.object, notification_args: {} },
    context: notified.context,
  };
}

/**
 * The request of `context` failed; null as above. `message` is what a user
 * sees in `trove show`, cut to 255 characters; `lines` are details for the operator.
 */
export function notifyExcInfo(
  context: JsonObject,
  instanceId: string,
  message: string,
  lines: readonly string[],
): ConductorMessage | null {
  const notified = notification(context, instanceId);
  if (notified === null) return null;
  return {
    method: 'notify_exc_info',
    args: {
      serialized_notification: notified.object,
      message: shorten(message),
      exception: [...lines],
    },
    context: notified.context,
  };
}

/**
 * The received notification with our instance id. The conductor needs the same object in the
 * context as well, or it loses the notification (docs/contracts/trove.md, 6.2).
 */
function notification(
  context: JsonObject,
  instanceId: string,
): { object: JsonObject; context: JsonObject } | null {
  const received = context['trove_notification'];
  if (!isObject(received) || !isSmall(context)) return null;
  const object = { ...received, instance_id: instanceId };
  return { object, context: { ...context, trove_notification: object } };
}

function isSmall(context: JsonObject): boolean {
  try {
    return JSON.stringify(context).length <= LARGEST_CONTEXT;
  } catch {
    return false; // JSON is read at any depth, and written at some thousand levels
  }
}

function shorten(message: string): string {
  const characters = Array.from(message);
  if (characters.length <= MESSAGE_LIMIT) return message;
  return `${characters.slice(0, MESSAGE_LIMIT - 1).join('')}…`;
}
