import { isIPv4, isIPv6 } from 'node:net';
import { HIGHEST_PORT } from '../../base/highest-port.ts';
import type { KeyKind, Scalar } from './keys.ts';

/** A value, or the end of the sentence `KEY = "…" …` that says why it is none. */
export type ValueReading = { ok: true; value: Scalar } | { ok: false; fault: string };

/** What stands for the instance id in a role resource; only the VM can fill it in. */
export const SELF_PLACEHOLDER = '__SELF_INSTANCE_ID__';
/** What the control plane or the VM should have replaced. */
const PLACEHOLDER = /__[A-Z0-9_]+__/;
/** Hosts, CUKs and seeds (docs/contracts/k2hr3.md, 8.4). */
const NODE_NAME = /^[A-Za-z0-9._:-]+$/;
/** Several of them: see `oneEntryPerSlave`. */
const CHOICE = /^[A-Za-z0-9._:-]+(\|[A-Za-z0-9._:-]+)*$/;
/** What chmpx takes for a host name in a list of hosts. */
const HOST_NAME = /^(?=.*[A-Za-z])[A-Za-z0-9._-]+$/;
/** `SERVICEOUT host:port:seed` is split at its colons, so a seed with one can never leave. */
const SEED = /^[A-Za-z0-9._-]+$/;
/**
 * Printable ASCII without what chmpx (`"` `'` `#` `\`), k2hdkc (`#`) or the npm package ini
 * (`;` `=` and a leading `[`) would not take as it stands.
 */
const PLAIN = /^(?!\[)[\x20-\x21\x24-\x26\x28-\x3a\x3c\x3e-\x5b\x5d-\x7e]+$/;
/** chmpx keeps CUKs, seeds, peers and endpoints in fixed arrays. */
const LONGEST_NAME = 1024;
const LONGEST_SEED = 2047;
const LONGEST_PATH = 1023;
const LONGEST_TEXT = 255;
const NOT_PLAIN = 'may not hold quotes, # ; = \\ or anything but printable ASCII';
const NOT_NAME = 'may only hold letters, digits and . _ : -';
const MOST_HOSTS = 4;

/** Reads the text of a value of one kind; words and switches in any case, as chmpx does. */
export function readValue(kind: KeyKind, text: string): ValueReading {
  if (PLACEHOLDER.test(text)) {
    if (kind.is === 'self' && text === SELF_PLACEHOLDER) return good(text);
    return fault('holds a placeholder that nobody filled in');
  }
  switch (kind.is) {
    case 'port':
      return readInteger(text, 1, HIGHEST_PORT, `is not a port from 1 to ${HIGHEST_PORT}`);
    case 'integer':
      return readInteger(
        text,
        kind.least,
        kind.most,
        `is not a number from ${kind.least} to ${kind.most}`,
      );
    case 'boolean':
      return readSwitch(text);
    case 'word': {
      const word = kind.words.find((known) => known.toLowerCase() === text.toLowerCase());
      return word === undefined ? fault(`is not one of ${kind.words.join(', ')}`) : good(word);
    }
    case 'self':
    case 'name':
      return matching(text, NODE_NAME, LONGEST_NAME, NOT_NAME);
    case 'choice':
      return matching(text, CHOICE, LONGEST_SEED, `${NOT_NAME}, and a | between names`);
    case 'seed':
      return matching(text, SEED, LONGEST_SEED, 'may only hold letters, digits and . _ -');
    case 'hosts':
      return readHosts(text);
    case 'path':
      return matching(text, PLAIN, LONGEST_PATH, NOT_PLAIN);
    case 'text':
      return matching(text, PLAIN, LONGEST_TEXT, NOT_PLAIN);
  }
}

/** The one way in which this agent writes a value. */
export function writeValue(value: Scalar): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

function good(value: Scalar): ValueReading {
  return { ok: true, value };
}

function fault(text: string): ValueReading {
  return { ok: false, fault: text };
}

/** chmpx uses atoi, which takes `abc` for 0 and `80x` for 80; only plain digits are let through. */
function readInteger(text: string, least: number, most: number, otherwise: string): ValueReading {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : NaN;
  return value >= least && value <= most ? good(value) : fault(otherwise);
}

function readSwitch(text: string): ValueReading {
  const word = text.toLowerCase();
  if (word === 'on' || word === 'yes') return good(true);
  if (word === 'off' || word === 'no') return good(false);
  return fault('is neither yes, on, no nor off');
}

function matching(text: string, form: RegExp, longest: number, otherwise: string): ValueReading {
  if (text.length > longest) return fault(`is longer than ${longest} characters`);
  return form.test(text) ? good(text) : fault(otherwise);
}

/**
 * `host[:port],…`, four at most, written without spaces. chmpx silently skips what it does not take
 * for a host (seen on 1.0.113), such as a name without any letter.
 */
function readHosts(text: string): ValueReading {
  const hosts = text.split(',').map((host) => host.trim());
  if (hosts.length > MOST_HOSTS) return fault(`lists more than ${MOST_HOSTS} hosts`);
  for (const entry of hosts) {
    if (isIPv6(entry)) continue;
    const [, host = '', port] = /^([^:]*)(?::([0-9]+))?$/.exec(entry) ?? [];
    if (!isIPv4(host) && !HOST_NAME.test(host)) return fault('is not a list of host or host:port');
    if (port !== undefined && (Number(port) < 1 || Number(port) > HIGHEST_PORT)) {
      return fault(`has a port that is not from 1 to ${HIGHEST_PORT}`);
    }
  }
  return good(hosts.join(','));
}
