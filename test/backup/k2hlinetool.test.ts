import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runK2hlinetool } from '../../src/backup/k2hlinetool.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { shellTool, standInK2hlinetool } from './tools.ts';

const GEOMETRY = { maskBit: 4, collisionMaskBit: 4, maxElements: 8, pageSize: 128, fullMap: true };

it('makes a file, tells the tool what to do and gives back what it printed', async () => {
  const directory = await temporaryDirectory();
  const command = await standInK2hlinetool(directory);
  const run = { command, desk: { directory, user: null }, file: 'a.k2h' };
  const commands = ['set k1 v1', 'info state'];
  expect(await runK2hlinetool({ ...run, attach: GEOMETRY, commands })).toMatch(
    /Assigned Element += 1 /,
  );
  const again = await runK2hlinetool({ ...run, attach: 'read-only', commands: ['print k1'] });
  expect(again).toContain('"k1" => "v1"');
  expect((await stat(path.join(directory, 'commands'))).mode & 0o777).toBe(0o600);
});

it('hands the geometry over as options', async () => {
  const directory = await temporaryDirectory();
  const command = await shellTool(directory, 'tool', 'echo "$@" > words');
  await runK2hlinetool({
    command,
    desk: { directory, user: null },
    file: 'a.k2h',
    attach: GEOMETRY,
    commands: [],
  });
  expect(await readFile(path.join(directory, 'words'), 'utf8')).toBe(
    `-f a.k2h -mask 4 -cmask 4 -elementcnt 8 -pagesize 128 -fullmap -run commands\n`,
  );
  const attach = { ...GEOMETRY, fullMap: false };
  await runK2hlinetool({
    command,
    desk: { directory, user: null },
    file: 'a.k2h',
    attach,
    commands: [],
  });
  expect(await readFile(path.join(directory, 'words'), 'utf8')).not.toContain('-fullmap');
});

it.each([
  ['an error, although it exits 0', 'echo "[ERR] Something error occurred" >&2', '[ERR] Something'],
  ['another exit code', 'exit 1', 'exit code 1'],
  ['an end by a signal', 'kill -KILL $$', 'it was killed by SIGKILL'],
  ['output without end', 'yes', 'it prints without end'],
])('fails at %s', async (_, script, why) => {
  const directory = await temporaryDirectory();
  const command = await shellTool(directory, 'tool', script);
  await expect(
    runK2hlinetool({
      command,
      desk: { directory, user: null },
      file: 'a',
      attach: 'read-only',
      commands: ['ar put x'],
    }),
  ).rejects.toThrow(`${command} failed at "ar put x": ${why}`);
});

it('says when there is no such tool', async () => {
  const directory = await temporaryDirectory();
  const run = {
    command: '/no/k2hlinetool',
    desk: { directory, user: null },
    file: 'a',
    attach: 'read-only',
  } as const;
  await expect(runK2hlinetool({ ...run, commands: [] })).rejects.toThrow(
    '/no/k2hlinetool failed: it cannot be started (ENOENT): install it, or set its path',
  );
});

it('is ended by its signal', async () => {
  const directory = await temporaryDirectory();
  const command = await shellTool(directory, 'tool', 'echo $$ > pid; exec sleep 1000');
  const ending = new AbortController();
  const run = runK2hlinetool({
    command,
    desk: { directory, user: null },
    file: 'a',
    attach: 'read-only',
    commands: [],
    signal: ending.signal,
  });
  const pid = (): Promise<string> => readFile(path.join(directory, 'pid'), 'utf8').catch(() => '');
  await expect.poll(pid).not.toBe('');
  ending.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
  const started = Number(await pid());
  expect(() => process.kill(started, 0)).toThrow('ESRCH');
});
