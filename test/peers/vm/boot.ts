import { cidr, HUB, vmPlace } from './addresses.ts';

/** What boot.sh is told. */
export interface BootPlan {
  /** The hub's network namespace, as a file. */
  hub: string;
  /** The VM's number, which gives its address. */
  number: number;
  /** Whether it is cut off the hub. */
  cut: boolean;
  hostName: string;
  bootId: string;
  /** Folder of the disk on the host, and what of it is put in place. */
  disk: string;
  directories: string[];
  files: string[];
  /** An empty folder on the host. */
  root: string;
}

/** Put before boot.sh: all that a VM has for itself. It ends with whoever started it. */
export const NEW_NAMESPACES = [
  'unshare',
  ...['--net', '--mount', '--uts', '--ipc', '--pid'],
  ...['--fork', '--kill-child', '--'],
];

/** The environment of boot.sh. */
export function bootEnvironment(plan: BootPlan): Record<string, string> {
  const place = vmPlace(plan.number);
  return {
    LAB_HUB: plan.hub,
    LAB_PORT: place.port,
    LAB_MAC: place.mac,
    LAB_CIDR: cidr(place),
    LAB_GATEWAY: HUB.address,
    LAB_CUT: plan.cut ? 'yes' : 'no',
    LAB_NAME: plan.hostName,
    LAB_BOOT_ID: plan.bootId,
    LAB_DISK: plan.disk,
    LAB_DIRECTORIES: plan.directories.join(' '),
    LAB_FILES: plan.files.join(' '),
    LAB_ROOT: plan.root,
  };
}

/** The environment of hub.sh. */
export function hubEnvironment(): Record<string, string> {
  return { LAB_HUB_CIDR: cidr(HUB), LAB_HUB_MAC: HUB.mac };
}
