/**
 * A promise that is awaited later, or never. A rejection that comes before is kept for whoever awaits
 * it: as an unhandled one it would fail a whole run of tests, and not the test that it belongs to.
 */
export function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
