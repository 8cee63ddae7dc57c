import { messageOf } from '../../base/errors.ts';
import { filesystemStats } from '../../host/filesystem-stats.ts';
import { hardwareInfo } from '../../host/hardware.ts';
import { processFigures } from '../../host/process-figures.ts';
import type { GuestHandlers } from '../../trove/dispatcher.ts';
import { troveError } from '../../trove/exceptions.ts';
import type { HandlerParts } from './parts.ts';

/** The methods that only look. They wait for no operation. */
type Figures = 'rpc_ping' | 'get_filesystem_stats' | 'get_hwinfo' | 'get_diagnostics';

export function figureHandlers({
  dataDirectory,
  version,
}: HandlerParts): Pick<GuestHandlers, Figures> {
  return {
    rpc_ping: () => Promise.resolve(true as const),

    get_filesystem_stats: () =>
      measured(`the data directory ${dataDirectory}`, () => filesystemStats(dataDirectory)),

    get_hwinfo: () => Promise.resolve(hardwareInfo()),

    get_diagnostics: () =>
      measured('the agent', async () => ({ version, ...(await processFigures()) })),
  };
}

async function measured<T>(what: string, measure: () => Promise<T>): Promise<T> {
  try {
    return await measure();
  } catch (error) {
    throw troveError(`${what} cannot be measured: ${messageOf(error)}`);
  }
}
