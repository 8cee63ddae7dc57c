import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bootEnvironment, hubEnvironment, NEW_NAMESPACES } from './boot.ts';
import { companion, SYSTEM_PATH } from './script.ts';

/** Of util-linux and iproute2. */
const TOOLS = ['unshare', 'nsenter', 'setpriv', 'mount', 'pivot_root', 'ip'];

/** Makes a hub where it runs, then a VM that is off at once: there is nothing on stdin. */
const TRY = 'sh "$0" && LAB_HUB=/proc/$$/ns/net "$@"';

/**
 * Why this machine does not permit simulated VMs, in words for a person; null when it does. It is
 * tried out with a VM that is off again at once (0.1 s): no list of permissions is as honest.
 */
export function namespacesPermitted(): string | null {
  if (process.getuid?.() !== 0) return 'only root may make network and mount namespaces';
  const missing = TOOLS.filter((tool) => !isInstalled(tool));
  if (missing.length > 0) return `${missing.join(', ')} missing: install iproute2 and util-linux`;
  const root = mkdtempSync(path.join(tmpdir(), 'k2hdkc-try-'));
  try {
    const vm = [...NEW_NAMESPACES, 'sh', companion('boot.sh')];
    const plan = { hub: '', number: 1, cut: false, hostName: 'try.lab', bootId: 'try' };
    const disk = { disk: root, directories: [], files: [], root };
    const tried = spawnSync(
      'unshare',
      ['--net', '--', 'sh', '-c', TRY, companion('hub.sh'), ...vm],
      {
        env: { PATH: SYSTEM_PATH, ...hubEnvironment(), ...bootEnvironment({ ...plan, ...disk }) },
        stdio: ['ignore', 'ignore', 'pipe'],
        encoding: 'utf8',
        timeout: 20_000,
      },
    );
    if (tried.status === 0) return null;
    return (
      tried.stderr.trimEnd().split('\n').at(-1) || `the trial ended by ${String(tried.signal)}`
    );
  } finally {
    rmSync(root, { recursive: true });
  }
}

function isInstalled(tool: string): boolean {
  return SYSTEM_PATH.split(':').some((folder) => existsSync(path.join(folder, tool)));
}
