import { randomUUID } from 'node:crypto';

/** Makes an id like those of oslo.messaging: 32 lower-case hex digits. */
export type NewUniqueId = () => string;

/** An id that nobody else has. */
export const newUniqueId: NewUniqueId = () => randomUUID().replaceAll('-', '');
