import { Unfinished } from '../base/errors.ts';

/** Why an operation did not end: the agent stops. It stays in the journal and is continued. */
export class Interrupted extends Unfinished {
  constructor() {
    super('the agent stops; the operation is continued at its next start');
  }
}
