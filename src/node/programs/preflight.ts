import { AgentError } from '../../base/errors.ts';
import type { StartNeeds } from '../../ini/start/needs.ts';
import { spaceShortages } from '../../host/free-space.ts';
import { processLimit, queueMessageLimit } from '../../host/limits.ts';
import { listenersOn } from '../../host/listeners.ts';
import { commandLine } from '../../process/identity.ts';

/** As whom and how the programs will run. */
export interface PreflightSubject {
  /** The user's name, for the message, and its id. */
  user: string;
  uid: number;
  /** Where the control port is spoken to. */
  controlHost: string;
  /** They get our own limits, because we start them; units of systemd have theirs. */
  inheritsLimits: boolean;
}

/**
 * Looks at everything that makes a start of chmpx fail, and fails itself with what to do: chmpx
 * would say less, k2hdkc would leave a data file cut short, and two chmpx on the same ports ruin
 * each other without a word (docs/contracts/chmpx.md, 5.2 and 6).
 *
 * @throws AgentError, in one line with the command to run.
 */
export async function preflight(needs: StartNeeds, subject: PreflightSubject): Promise<void> {
  await checkPorts(needs, subject);
  await checkQueues(needs, subject);
  if (subject.inheritsLimits) await checkLimits(needs, subject);
  await checkSpace(needs);
}

async function checkPorts({ ports }: StartNeeds, { controlHost }: PreflightSubject): Promise<void> {
  const [listener] = await listenersOn(ports, controlHost);
  if (!listener) return;
  const { port, pid } = listener;
  const program = pid === null ? '' : commandLine(pid).join(' ');
  const holder =
    pid === null ? 'a process of another user or container' : `PID ${pid} (${program})`;
  const remedy = pid === null ? `find it with: ss -ltnp sport = :${port}` : `kill -HUP ${pid}`;
  throw refused(
    `port ${port} is in use by ${holder}, and two on one port would ruin each other; stop it: ${remedy}`,
  );
}

/** Only a chmpx that is not root's insists on room for all queues at once. */
async function checkQueues(needs: StartNeeds, { user, uid }: PreflightSubject): Promise<void> {
  const needed =
    uid === 0
      ? needs.queueMessages
      : Math.max(needs.queueMessages, needs.queueMessagesUnprivileged);
  const limit = await queueMessageLimit();
  if (limit >= needed) return;
  throw refused(
    `fs.mqueue.msg_max is ${limit}, chmpx needs ${needed} as user ${user}; run: sysctl -w fs.mqueue.msg_max=${needed} (and put it into /etc/sysctl.d for the next boot)`,
  );
}

async function checkLimits(needs: StartNeeds, { uid }: PreflightSubject): Promise<void> {
  const files = await processLimit('Max open files'); // chmpx raises it to the hard limit itself
  if (files.hard < needs.openFiles) {
    throw refused(
      `the limit of open files is ${files.hard}, chmpx needs ${needs.openFiles}; raise LimitNOFILE of the agent's unit, or run: prlimit --pid ${process.pid} --nofile=${needs.openFiles}`,
    );
  }
  const queues = await processLimit('Max msgqueue size');
  if (uid !== 0 && queues.soft < needs.queueBytes) {
    throw refused(
      `the limit of message queues is ${queues.soft} bytes, chmpx needs ${needs.queueBytes}; raise LimitMSGQUEUE of the agent's unit, or run: prlimit --pid ${process.pid} --msgqueue=${needs.queueBytes}`,
    );
  }
}

async function checkSpace({ shared, data }: StartNeeds): Promise<void> {
  const [shortage] = await spaceShortages(data ? [...shared, data] : shared);
  if (!shortage) return;
  const { directory, needed, free } = shortage;
  throw refused(
    `${megabytes(free)} are free at ${directory}, chmpx and k2hdkc need ${megabytes(needed)} there for new files; make room, look with: df ${directory}`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000)} MB`;
}

function refused(text: string): AgentError {
  return new AgentError(text, { retryable: true });
}
