import { readFileSync } from 'node:fs';
import { hasCapability } from '../../helpers/capabilities.ts';
import { Refused, type Configuration } from './configuration.ts';

/** What chmpx makes of a larger MAXQPERSERVERMQ or MAXQPERCLIENTMQ (measured with 1.0.113). */
const MOST_PER_QUEUE = 128;

/** Throws Refused where chmpx does not start for want of message queues, or on a long name. */
export function checkLimits({ group, numbers }: Configuration): void {
  if (group.length > 255) {
    throw new Refused(['InitializeShmEx(0) : Configuration information are wrong.']);
  }
  const limit = Number(readFileSync('/proc/sys/fs/mqueue/msg_max', 'utf8'));
  const queues = numbers.MAXMQSERVER + numbers.MAXMQCLIENT;
  if (process.getuid?.() !== 0 && limit < queues) {
    throw new Refused([
      `InitializeMaxMqSystemSize(0) : Current msg ${limit} is too small for specified msg ${queues}(MAXCLIENT in GLOBAL section).`,
    ]);
  }
  const { MAXQPERSERVERMQ: perServer, MAXQPERCLIENTMQ: perClient } = numbers;
  const messages = Math.min(Math.max(perServer, perClient), MOST_PER_QUEUE);
  // mq_overview(7): whoever has the capability can exceed msg_max.
  if (messages > limit && !hasCapability('sys_resource')) {
    throw new Refused([
      `SetEventQueue(0) : Failed to open MQ(/${group}) by errno=EINVAL, maybe there is not enough "msg_max"(require mq_maxmsg is ${messages}).`,
    ]);
  }
}
