import { noSuchMethod, unsupportedVersion } from './failure.ts';
import type { RpcRequest } from './rpc-request.ts';

/** The version we serve: any 1.x up to this (docs/contracts/trove.md, 2.3). */
const MAJOR = 1;
const MINOR = 3;

/**
 * Throws UnsupportedVersion for a version that is too new or of another major, and for any
 * namespace; NoSuchMethod for a name that begins with `_`, which is private in Python.
 */
export function checkSupported({ method, version, namespace }: RpcRequest): void {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version) ?? [];
  const served = Number(major) === MAJOR && Number(minor) <= MINOR;
  if (!served || namespace !== undefined) throw unsupportedVersion(version, method);
  if (method.startsWith('_')) throw noSuchMethod(method);
}
