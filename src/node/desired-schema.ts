import * as v from 'valibot';
import { registrationRecordSchema } from '../k2hr3/registration-record.ts';

const text = v.string();
const finite = v.pipe(v.number(), v.finite());
const port = v.optional(finite);
const optionalText = v.optional(text);

/** As in ClusterParameters. */
const parameters = v.looseObject({
  clusterName: text,
  extdataUrl: text,
  serverPort: port,
  serverControlPort: port,
  slaveControlPort: port,
  httpProxy: optionalText,
  httpsProxy: optionalText,
  noProxy: optionalText,
});

/** `desired.json`, which an older agent can have written without the newest fields. */
export const desiredSchema = v.looseObject({
  version: v.literal(1),
  mode: v.optional(v.picklist(['server', 'slave'])),
  phase: v.optional(v.picklist(['new', 'preparing', 'ready', 'prepared', 'failed'])),
  preparingSince: v.optional(finite),
  failure: v.optional(v.nullable(text)),
  clustered: v.optional(v.boolean()),
  installing: v.optional(v.boolean()),
  installedBy: v.optional(v.nullable(text)),
  parameters: v.optional(v.nullable(parameters)),
  restoring: v.optional(v.nullable(text)),
  stopped: v.optional(v.nullable(v.looseObject({ bootId: v.nullable(text) }))),
  shrinking: v.optional(v.nullable(v.looseObject({ rejoinAt: finite }))),
  volume: v.optional(
    v.nullable(v.looseObject({ device: text, mountPoint: text, uuid: v.nullable(text) })),
  ),
  generation: v.optional(text),
  registration: v.optional(
    v.nullable(
      v.looseObject({
        ...registrationRecordSchema.entries,
        roleToken: text,
        tenant: text,
        parametersKey: text,
      }),
    ),
  ),
});
