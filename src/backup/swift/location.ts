import { AgentError } from '../../base/errors.ts';

/** Where Trove has noted that a backup lies. */
export interface ObjectLocation {
  /** What stands before the container; only asked when nothing else says where Swift is. */
  accountUrl: string;
  container: string;
  object: string;
}

/**
 * Takes a backup's location apart as Trove does: the last two parts of the path are the container
 * and the object (docs/contracts/swift.md, 3.1). Throws AgentError.
 */
export function parseLocation(location: string): ObjectLocation {
  const [, accountUrl, container, object] =
    /^(https?:\/\/.+)\/([^/]+)\/([^/]+)$/.exec(location) ?? [];
  const hasRest = accountUrl !== undefined && container !== undefined && object !== undefined;
  // A URL takes these for steps between folders: the call would go to another account.
  const isStep = [container, object].some((name) => name === '.' || name === '..');
  if (hasRest && !isStep && URL.canParse(location) && !/[?#\s\p{Cc}]/u.test(location)) {
    return { accountUrl, container, object };
  }
  throw new AgentError(
    `the backup's location ${JSON.stringify(location)} is not http://…/container/object`,
  );
}
