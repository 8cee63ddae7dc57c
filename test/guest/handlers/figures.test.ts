import { expect, it } from 'vitest';
import { figureHandlers } from '../../../src/guest/handlers/figures.ts';
import type { HandlerParts } from '../../../src/guest/handlers/parts.ts';
import type { GuestCall } from '../../../src/trove/dispatcher.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

const CALL: GuestCall = { id: 'c-1', body: '{}', context: {}, accepted: () => undefined };
const handlersOf = (dataDirectory: string) =>
  figureHandlers({ dataDirectory, version: '1.2.3' } as HandlerParts);

it('says that the guest is there', async () => {
  expect(await handlersOf('/').rpc_ping({}, CALL)).toBe(true);
});

it('measures the data directory, whatever path Trove names', async () => {
  const directory = await temporaryDirectory();
  const { total } = await handlersOf(directory).get_filesystem_stats({ fs_path: '/none' }, CALL);
  expect(total).toBeGreaterThan(0);
});

it('tells Trove when the data directory is not there', async () => {
  const measured = handlersOf('/no/data').get_filesystem_stats({ fs_path: null }, CALL);
  await expect(measured).rejects.toThrow('the data directory /no/data cannot be measured: ENOENT');
});

it('tells the hardware of this VM, and the figures of the agent with its version', async () => {
  expect(await handlersOf('/').get_hwinfo({}, CALL)).toMatchObject({
    mem_total: expect.any(Number) as number,
  });
  expect(await handlersOf('/').get_diagnostics({}, CALL)).toMatchObject({ version: '1.2.3' });
});
