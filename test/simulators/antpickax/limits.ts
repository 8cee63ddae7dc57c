import { readFileSync } from 'node:fs';
import { Refused, type Configuration } from './configuration.ts';

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
  if (Math.max(numbers.MAXQPERSERVERMQ, numbers.MAXQPERCLIENTMQ) > limit) {
    throw new Refused([
      `SetEventQueue(0) : Failed to open MQ(/${group}) by errno=EINVAL, maybe there is not enough "msg_max"(require mq_maxmsg is ${numbers.MAXQPERSERVERMQ}).`,
    ]);
  }
}
