import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRingStatus, ToolMissingError } from '../../src/ring/tools.ts';
import type { RingStatus } from '../../src/ring/status.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/chmpx/', import.meta.url));
const ADVICE = `echo 'You can see detail about error, execute with "-d"("-g") option.'`;
const NOT_ATTACHED = `echo '[ERR] Could not initialize(attach) chmpx shared memory.' >&2; ${ADVICE}`;

describe('tools', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'tools-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  /** An executable that does what a line of shell says. */
  async function tool(script: string): Promise<{ command: string; timeoutMs: number }> {
    const command = path.join(directory, 'tool');
    await writeFile(command, `#!/bin/sh\n${script}\n`);
    await chmod(command, 0o755);
    return { command, timeoutMs: 5000 };
  }

  async function status(script: string): Promise<RingStatus | null> {
    return readRingStatus({ ...(await tool(script)), conf: '/etc/x.ini' });
  }

  describe('readRingStatus', () => {
    it('reads this node and all others with one call', async () => {
      const script = `test "$*" = '-conf /etc/x.ini -d err' && cat '${FIXTURES}chmpxstatus-all.txt'`;
      expect(await status(script)).toMatchObject({
        self: { cuk: 'cuk-srv-1' },
        servers: [{ cuk: 'cuk-srv-1' }],
      });
    });

    it('judges by the output, not by the exit code', async () => {
      const script = `cat '${FIXTURES}chmpxstatus-all.txt'; exit 1`;
      expect(await status(script)).toMatchObject({ group: 'labcluster' });
    });

    it('answers null when chmpx does not run, with and without the reason', async () => {
      const file = '/var/lib/antpickax/g-1.chmpx';
      const reason = `[CHMPX-ERR] AttachShm(896) : ChmShm file(${file}) does not exist`;
      expect(await status(`echo '${reason}' >&2; ${NOT_ATTACHED}; exit 1`)).toBeNull();
      const stale = '[CHMPX-ERR] Initialize(565) : Chmpx process is not running.';
      expect(await status(`echo '${stale}' >&2; ${NOT_ATTACHED}; exit 1`)).toBeNull();
      expect(await status(`${NOT_ATTACHED}; exit 0`)).toBeNull();
    });

    it('does not take a configuration that cannot be read for a chmpx that does not run', async () => {
      const reason = '[CHMPX-ERR] check(231) : configuration file x.ini is not existed.';
      await expect(status(`echo '${reason}' >&2; ${NOT_ATTACHED}; exit 1`)).rejects.toThrow(
        `tool: ${reason}`,
      );
    });

    it('passes on the last line of a tool that failed otherwise', async () => {
      await expect(status(`echo one >&2; echo two >&2; ${ADVICE}`)).rejects.toThrow(
        'tool: it says "two"',
      );
      await expect(status('exit 0')).rejects.toThrow('tool: it printed nothing');
      await expect(status('kill -SEGV $$')).rejects.toThrow('tool: it was killed by SIGSEGV');
    });

    it('says what to do when the tool is not there', async () => {
      const command = path.join(directory, 'missing');
      const reading = readRingStatus({ command, conf: 'x', timeoutMs: 5000 });
      await expect(reading).rejects.toThrow(ToolMissingError);
      expect(new ToolMissingError('chmpxstatus', 'ENOENT').message).toBe(
        'chmpxstatus: cannot be started (ENOENT): install it, or set its path',
      );
    });

    it('ends a tool that hangs or prints for ever', async () => {
      const hanging = { ...(await tool('exec sleep 60')), timeoutMs: 100, conf: 'x' };
      await expect(readRingStatus(hanging)).rejects.toThrow('no answer within 100 ms');
      await expect(status('exec yes')).rejects.toThrow('it prints without end');
    });

    it('hands its environment on', async () => {
      const options = await tool(`cat "$STATUS_FILE"`);
      const env = { STATUS_FILE: `${FIXTURES}chmpxstatus-all.txt` };
      expect(await readRingStatus({ ...options, conf: 'x', env })).toMatchObject({
        group: 'labcluster',
      });
    });
  });
});
