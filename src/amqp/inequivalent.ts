import { AgentError, messageOf } from '../base/errors.ts';

/** Who is asked to change something: the option behind each flag or argument of a declaration. */
export type SetBy = Readonly<Record<string, string>>;

/**
 * `PRECONDITION_FAILED - inequivalent arg 'durable' for queue … in vhost …: received … but current
 * is …` of RabbitMQ: what stands between its words.
 */
function difference(message: string): { flag: string; here: string; there: string } | undefined {
  const [, flag] = /inequivalent arg '([^']+)' for /.exec(message) ?? [];
  const [before, there] = parted(message, ' but current is ');
  const [, here] = parted(before, ': received ');
  const [value = ''] = there.split('"', 1);
  return flag === undefined || here === '' || value === ''
    ? undefined
    : { flag, here, there: value };
}

/** What stands before and behind the last of these words; nothing behind when they are not there. */
function parted(text: string, words: string): [string, string] {
  const at = text.lastIndexOf(words);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + words.length)];
}

/** The broker holds something of this name that was declared differently (406). */
export class InequivalentDeclaration extends AgentError {
  /** What is declared differently, for example `queue guestagent.1`. */
  readonly what: string;

  private constructor(what: string, message: string, cause: unknown) {
    super(message, { cause });
    this.what = what;
  }

  /** From a 406 of the broker; undefined for one that is about something else. */
  static from(what: string, setBy: SetBy, cause: unknown): InequivalentDeclaration | undefined {
    const found = difference(messageOf(cause));
    if (found === undefined) return undefined;
    const { flag, here, there } = found;
    const option = setBy[flag];
    const cure =
      option === undefined
        ? 'delete it at the broker'
        : `set ${option} here as Trove has it, or delete it at the broker`;
    return new InequivalentDeclaration(
      what,
      `${what} is declared differently at the broker: ${flag} is ${plain(there)} there and ${plain(here)} here; ${cure}`,
      cause,
    );
  }
}

/** `'true'`, `none` or `the value '60000' of type 'signedint'`: only what counts. */
function plain(value: string): string {
  return /'([^']*)'/.exec(value)?.[1] ?? value;
}
