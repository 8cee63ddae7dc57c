import type { Logger } from '../base/log.ts';
import { decodeRequest } from '../oslo/rpc-request.ts';
import type { RpcServer } from '../oslo/rpc-server.ts';
import type { Journal } from './journal.ts';

/** Null for what is no request: a file that somebody, or a disk, has changed. */
function methodOf(body: string): string | null {
  try {
    return decodeRequest(body).method;
  } catch {
    return null;
  }
}

/** Runs what an earlier agent accepted and did not finish; the callers may still wait. */
export async function continueUnfinished(
  journal: Journal,
  server: Pick<RpcServer, 'resume'>,
  log: Logger,
): Promise<void> {
  for (const { id, body, fromEarlierBoot } of await journal.unfinished()) {
    const method = methodOf(body);
    if (method === null) {
      log.error({ id }, 'an operation is no request any more: it was put into journal/refused');
      await journal.refuse(id);
      continue;
    }
    if (fromEarlierBoot && method === 'stop_db') {
      log.info({ id }, 'a stop_db of an earlier boot is over');
      await journal.finish(id).catch((err: unknown) => {
        log.warn(
          { err, id },
          'its end cannot be stored: it is tried again with the next operation',
        );
      });
      continue;
    }
    log.info({ id }, 'an operation that an earlier agent did not finish is continued');
    server.resume(body).catch((err: unknown) => log.error({ err, id }, 'it cannot be continued'));
  }
  await journal.keepBoot().catch((err: unknown) => {
    log.error({ err }, 'the journal cannot be written: operations are refused until it can');
  });
}
