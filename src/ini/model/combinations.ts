import type { Scalar } from './keys.ts';

/** The value of a key; undefined when nobody knows it (yet). */
export type Get = (key: string) => Scalar | undefined;

/**
 * Values of `[GLOBAL]` that chmpx takes and then silently changes, each with what it makes of them
 * (docs/contracts/ini.md, 3.1). With a `get` that knows only some keys it names what is wrong
 * whatever the others are.
 */
export function changedByChmpx(get: Get): string[] {
  const texts: string[] = [];
  if (get('AUTOMERGE') === true && get('DOMERGE') === false) {
    texts.push('AUTOMERGE = yes with DOMERGE = no: chmpx would turn AUTOMERGE off');
  }
  const [replica, nodes] = [get('REPLICA'), get('MAXCHMPX')];
  if (typeof replica === 'number' && typeof nodes === 'number' && replica > nodes) {
    texts.push(`REPLICA = ${replica} is more than MAXCHMPX = ${nodes}: chmpx would lower it`);
  }
  return texts;
}

/** Values of `[K2HDKC]` with which k2hdkc 1.0.19 does not start; `get` as above. */
export function refusedByK2hdkc(get: Get): string[] {
  const texts: string[] = [];
  const [least, most] = [get('MINTHREAD'), get('MAXTHREAD')];
  if (typeof least === 'number' && typeof most === 'number' && least > most) {
    texts.push(`MINTHREAD = ${least} is more than MAXTHREAD = ${most}`);
  }
  const type = get('K2HTYPE');
  if (type === 'mem' && get('K2HFULLMAP') === false) {
    texts.push('K2HTYPE = mem with K2HFULLMAP = no: k2hdkc does not start');
  }
  if ((type === 'mem' || type === 'temp') && get('K2HINIT') === false) {
    texts.push(`K2HTYPE = ${type} with K2HINIT = no: k2hdkc does not start`);
  }
  return texts;
}
