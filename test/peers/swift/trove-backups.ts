import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { projectRoot } from '../../helpers/project-root.ts';
import type { SwiftAccount } from './account.ts';

const PROGRAM = path.join(projectRoot, 'test/peers/swift/trove_backups.py');

const Result = v.union([
  v.object({ result: v.boolean() }),
  v.object({ error: v.string(), message: v.string() }),
]);

/**
 * Deletes a backup as Trove's taskmanager does: its own code, the real swiftclient
 * (docs/contracts/swift.md, 3.4). Takes about 3 s.
 *
 * @param location as reported with COMPLETED.
 */
export async function troveDelete(account: SwiftAccount, location: string): Promise<void> {
  await run(account, { what: 'delete', location });
}

/**
 * Whether Trove's API would let this backup be restored: the object is there. Rejects with
 * RestoreBackupIntegrityError when its checksum is another one.
 */
export function troveVerify(
  account: SwiftAccount,
  backup: { location: string; checksum: string },
): Promise<boolean> {
  return run(account, { what: 'verify', ...backup });
}

async function run({ url, token }: SwiftAccount, order: Record<string, string>): Promise<boolean> {
  const project = url.slice(url.lastIndexOf('AUTH_') + 'AUTH_'.length);
  const child = spawn('/usr/bin/python3', [PROGRAM], {
    env: { PATH: '/usr/bin:/bin', PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(JSON.stringify({ swift_url: url, project, token, ...order }));
  const [said, complaint] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (said === '') throw new Error(`Trove's code failed: ${complaint.slice(-2000)}`);
  const result = v.parse(Result, JSON.parse(said));
  if ('error' in result) throw new Error(`${result.error}: ${result.message}`);
  return result.result;
}
