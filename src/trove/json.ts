import type { JsonObject as WireObject } from '../oslo/envelope.ts';

/** A decoded JSON object that nobody changes: whoever uses a value checks it first. */
export type JsonObject = Readonly<WireObject>;

/**
 * The object with every value passed through `change`. A key named `__proto__` stays an ordinary
 * key: assigning it would swap the prototype under everybody who reads the object later.
 */
export function mapValues(
  object: JsonObject,
  change: (value: unknown, key: string) => unknown,
): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, change(value, key)]),
  );
}
