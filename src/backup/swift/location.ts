import { AgentError } from '../../base/errors.ts';
import { excerpt } from '../../base/text.ts';
import { isBaseUrl, showable } from '../../http/target.ts';

/** Where Trove has noted that a backup lies. */
export interface ObjectLocation {
  /** What stands before the container; only asked when nothing else says where Swift is. */
  accountUrl: string;
  container: string;
  object: string;
}

/**
 * Refuses a container of which parseLocation would not take the location apart into the same: what is
 * backed up there could not be restored. Throws AgentError.
 */
export function checkContainer(container: string): void {
  if (isName(container)) return;
  throw new AgentError(
    `the container ${JSON.stringify(excerpt(container))} cannot hold backups: a name must not be . or .., and hold no slashes and control characters`,
  );
}

/**
 * Takes a backup's location apart as Trove does: the last two parts of the path are the container
 * and the object (docs/contracts/swift.md, 3.1). Throws AgentError, without what may be a password.
 */
export function parseLocation(location: string): ObjectLocation {
  const [, accountUrl = '', container = '', object = ''] =
    /^(https?:\/\/.+)\/([^/]+)\/([^/]+)$/.exec(location) ?? [];
  if (isBaseUrl(accountUrl) && isName(container) && isName(object)) {
    return { accountUrl, container, object };
  }
  const shown = JSON.stringify(showable(location));
  throw new AgentError(`the backup's location ${shown} is not http://…/container/object`);
}

/** A URL takes `.` and `..` for steps between folders: the call would go to another account. */
function isName(name: string): boolean {
  return !['', '.', '..'].includes(name) && !/[/\p{Cc}\p{Cs}]/u.test(name);
}
