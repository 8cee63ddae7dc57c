import * as v from 'valibot';

/** A count of bytes or of things, as others may have written it down. */
export const countSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** An MD5 in hex. */
export const md5Schema = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
