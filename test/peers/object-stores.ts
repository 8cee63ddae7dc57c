import { RgwPeer } from './rgw/rgw-peer.ts';
import type { ObjectStore } from './swift/object-store.ts';
import { SwiftPeer } from './swift/swift-peer.ts';

/** A kind of server of Swift's API: its name, and how one is started. */
type Kind = readonly [name: string, start: () => Promise<ObjectStore>];

/** What every test of backups runs against. */
export const BACKUP_STORES: readonly Kind[] = [
  ['Swift', () => SwiftPeer.start()],
  ['Ceph RGW', () => RgwPeer.start()],
];

/** What every test of restores runs against: only a restore asks for a manifest. */
export const RESTORE_STORES: readonly Kind[] = [
  ...BACKUP_STORES,
  ['Ceph RGW that knows manifests', () => RgwPeer.start({ manifests: 'raw' })],
];
