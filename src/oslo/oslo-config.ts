import { ConfigurationError } from '../base/errors.ts';
import { excerpt } from '../base/text.ts';
import { groupKey, type Assignment } from './config-parser.ts';
import { toBoolean, toInteger } from './config-values.ts';

/** A value as text, and where it was set. */
interface Setting {
  text: string;
  where: string;
}

/** `$$`, `$name`, `$group.name` and both in braces. Any other `$` stands for itself. */
const REFERENCE = /\$\$|\$(?:([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi;
/** References that refer to references, at most. */
const MAX_DEPTH = 10;
/** References behind one value, and its length in characters, at most: eight in each of seven are 2 million. */
const MAX_REFERENCES = 1_000;
const LONGEST_VALUE = 1024 ** 2;

/**
 * Options that a group has by itself (oslo.messaging 14.0 to 18.1): where one of them is not set there, a reference
 * in the group means its default, whatever [DEFAULT] says.
 */
const OWN_OPTIONS: Readonly<Record<string, RegExp>> = {
  oslo_messaging_rabbit:
    /^(?:(?:amqp|conn_pool|heartbeat|kombu|rabbit|ssl)(?:_.*)?|direct_mandatory_flag|enable_cancel_on_failover|hostname|processname|rpc_conn_pool_size|use_queue_manager)$/,
};

/** How many references one value has used up. */
interface Used {
  references: number;
}

/**
 * Options of oslo.config. Of what is set more than once the last counts; the environment variable
 * `OS_<GROUP>__<OPTION>` beats the files. Options that nobody asks for are ignored, whatever
 * they hold. All getters throw ConfigurationError that says where the value was set.
 */
export class OsloConfig {
  readonly #assignments: readonly Assignment[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #overrides: readonly Assignment[];

  constructor(
    assignments: readonly Assignment[],
    env: NodeJS.ProcessEnv = {},
    overrides: readonly Assignment[] = [],
  ) {
    this.#assignments = assignments;
    this.#env = env;
    this.#overrides = overrides;
  }

  /** The same options, with those of one group set by something stronger, such as a URL's query. */
  override(group: string, options: Readonly<Record<string, string>>, where: string): OsloConfig {
    const overrides = Object.entries(options).map(([option, text]) => {
      return { group: groupKey(group), option, text, where };
    });
    return new OsloConfig(this.#assignments, this.#env, [...this.#overrides, ...overrides]);
  }

  /** Text, references resolved; `''` when it is set to nothing. */
  string<F = undefined>(group: string, option: string, fallback?: F): string | F {
    const setting = this.#setting(group, option);
    return setting ? this.#resolve(setting, group) : (fallback as F);
  }

  integer<F = undefined>(group: string, option: string, fallback?: F): number | F {
    return this.#typed(group, option, fallback as F, 'a whole number', toInteger);
  }

  boolean<F = undefined>(group: string, option: string, fallback?: F): boolean | F {
    return this.#typed(group, option, fallback as F, 'true or false', toBoolean);
  }

  /** Where an option was set (file:line, or the variable), for messages of the caller. */
  where(group: string, option: string): string | undefined {
    return this.#setting(group, option)?.where;
  }

  #typed<T, F>(
    group: string,
    option: string,
    fallback: F,
    kind: string,
    parse: (text: string) => T | undefined,
  ): T | F {
    const setting = this.#setting(group, option);
    if (!setting) return fallback;
    const text = this.#resolve(setting, group);
    const value = parse(text);
    if (value !== undefined) return value;
    throw new ConfigurationError(
      `${setting.where}: ${option} in [${group}] is ${JSON.stringify(excerpt(setting.text))}, which is not ${kind}`,
    );
  }

  #setting(group: string, option: string): Setting | undefined {
    const { forced, filed } = this.#settings(group, option);
    return forced ?? filed.at(-1);
  }

  #settings(group: string, option: string): { forced: Setting | undefined; filed: Setting[] } {
    const key = groupKey(group);
    const isIt = (a: Assignment): boolean => a.group === key && a.option === option;
    const variable = `OS_${group.toUpperCase()}__${option.toUpperCase()}`;
    const text = this.#env[variable];
    const forced = text === undefined ? undefined : { text, where: variable };
    return {
      forced: this.#overrides.findLast(isIt) ?? forced,
      filed: this.#assignments.filter(isIt),
    };
  }

  #resolve(
    { text, where }: Setting,
    group: string,
    depth = 0,
    used: Used = { references: 0 },
  ): string {
    // `\$` is `$$` before anything else is looked at, also behind another `$`.
    const resolved = text
      .replaceAll(String.raw`\$`, '$$$$')
      .replaceAll(REFERENCE, (_whole, plain?: string, braced?: string) => {
        const name = plain ?? braced;
        if (name === undefined) return '$';
        if (++used.references > MAX_REFERENCES) {
          throw new ConfigurationError(`${where}: more than ${MAX_REFERENCES} references`);
        }
        const found = depth < MAX_DEPTH ? this.#referent(name, group) : undefined;
        if (found) {
          const value = this.#resolve(found.setting, found.group, depth + 1, used);
          if (isAsWritten(value)) return value;
          throw new ConfigurationError(
            `${where}: a "$" refers to a number or to true or false, which oslo.config writes its own way; write the value itself`,
          );
        }
        throw new ConfigurationError(
          // What follows the "$" is not quoted: it may be the rest of a password.
          `${where}: a "$" refers to an option that is not set; write $$ for a dollar sign`,
        );
      });
    if (resolved.length <= LONGEST_VALUE) return resolved;
    throw new ConfigurationError(`${where}: longer than ${LONGEST_VALUE} characters`);
  }

  /** `name` is looked for in the group of the value that mentions it, then in DEFAULT if the group has none. */
  #referent(name: string, group: string): { setting: Setting; group: string } | undefined {
    const dot = name.indexOf('.');
    const places: [string, string][] =
      dot < 0 ? [[group, name]] : [[name.slice(0, dot), name.slice(dot + 1)]];
    const isOwn = OWN_OPTIONS[groupKey(group)]?.test(name) ?? false;
    if (dot < 0 && !isOwn) places.push(['DEFAULT', name]);
    for (const [place, option] of places) {
      const setting = this.#setting(place, option);
      if (setting) return { setting, group: place };
    }
    return undefined;
  }
}

/** Whether an option of any type has this text when another refers to it. */
function isAsWritten(value: string): boolean {
  if (toBoolean(value) !== undefined) return false;
  const number = toInteger(value);
  return number === undefined || String(number) === value;
}
