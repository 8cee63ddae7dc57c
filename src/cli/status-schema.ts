import * as v from 'valibot';
import { AgentError, messageOf } from '../base/errors.ts';
import { shown } from '../base/text.ts';
import { NODE_STATES } from '../node/node-state.ts';
import type { StatusDocument } from '../node/status-document.ts';
import type { ConcernKind } from '../ring/watch/concerns.ts';

const pid = v.nullable(v.pipe(v.number(), v.integer()));
const time = v.pipe(
  v.string(),
  v.check((text) => Number.isFinite(Date.parse(text)), 'is no time'),
);

/** What an agent writes; one that is newer can write more, of which nothing is shown. */
const schema: v.GenericSchema<unknown, StatusDocument> = v.object({
  version: v.literal(1),
  agent: v.object({ version: v.string(), pid: v.number(), since: time }),
  mode: v.picklist(['server', 'slave']),
  node: v.object({
    state: v.picklist([...NODE_STATES, 'unknown']),
    since: time,
    step: v.string(),
  }),
  trove: v.nullable(v.string()),
  programs: v.object({ chmpx: pid, k2hdkc: pid }),
  // An agent before this one does not name it.
  network: v.optional(
    v.nullable(
      v.object({
        kind: v.nullable(v.picklist(['only', 'user', 'management', 'cidr'])),
        addresses: v.array(v.object({ address: v.string(), port: v.string() })),
        why: v.string(),
        registered: v.nullable(v.object({ name: v.string(), from: v.nullable(v.string()) })),
        problem: v.nullable(v.string()),
      }),
    ),
    null,
  ),
  role: v.object({ servers: v.number(), problem: v.nullable(v.string()) }),
  ring: v.nullable(
    v.object({
      group: v.string(),
      servers: v.array(
        v.object({ name: v.string(), cuk: v.string(), status: v.string(), self: v.boolean() }),
      ),
    }),
  ),
  concerns: v.array(
    v.object({
      kind: v.custom<ConcernKind>((kind) => typeof kind === 'string'),
      subject: v.string(),
      since: time,
      text: v.string(),
    }),
  ),
});

/** What status.json says, `shown`. */
export interface ReadStatus {
  document: StatusDocument;
  /** All of it, also what this version does not know. */
  whole: unknown;
}

/** Reads the text of status.json. Throws AgentError that names the first field that is wrong. */
export function readStatusDocument(text: string): ReadStatus {
  try {
    const whole = shown(JSON.parse(text));
    return { document: v.parse(schema, whole), whole };
  } catch (error) {
    const path = v.isValiError(error) ? v.getDotPath(error.issues[0]) : null;
    const where = path === null ? '' : `${path}: `;
    throw new AgentError(`not what this version writes (${where}${messageOf(error)})`, {
      cause: error,
    });
  }
}
