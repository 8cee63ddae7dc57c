import type { GuestMethod } from './guest-method.ts';
import { HANDLED_METHODS, type HandledMethod } from './handled-methods.ts';
import { UNHANDLED_METHODS } from './unhandled-methods.ts';

/**
 * Every method of the guest API by its name on the wire (docs/contracts/trove.md, 9.1). A map, so
 * that a method called `constructor` is an unknown one.
 */
export const GUEST_METHODS: ReadonlyMap<string, GuestMethod> = new Map<string, GuestMethod>([
  ...Object.entries(HANDLED_METHODS).map(
    ([name, facts]) => [name, { ...facts, answer: { by: 'handler' } }] as const,
  ),
  ...Object.entries(UNHANDLED_METHODS),
]);

/** Whether a handler answers this method. */
export function isHandled(method: string): method is HandledMethod {
  return Object.hasOwn(HANDLED_METHODS, method);
}
