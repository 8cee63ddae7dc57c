import { atoi, onOff, port, type Section } from './ini.ts';

/** What chmpx takes from `[GLOBAL]` (docs/contracts/ini.md, 3.1). */
export interface Global {
  group: string;
  fileVersion: number;
  /** Seconds since the epoch, 0 when DATE is missing or unreadable. */
  date: number;
  mode: 'SERVER' | 'SLAVE' | undefined;
  idType: string;
  random: boolean;
  port: number;
  ctlport: number;
  selfCtlport: number;
  selfCuk: string;
  autoMerge: boolean;
  doMerge: boolean;
  mqAck: boolean;
  /** Every key with a number, with chmpx's default where the file has none. */
  numbers: Readonly<Record<keyof typeof defaults, number>>;
}

const defaults = {
  REPLICA: 0,
  MAXCHMPX: 1024,
  MAXMQSERVER: 1,
  MAXMQCLIENT: 8192,
  MQPERATTACH: 1,
  MAXQPERSERVERMQ: 8,
  MAXQPERCLIENTMQ: 1,
  MAXMQPERCLIENT: 1,
  MAXHISTLOG: 8192,
  RWTIMEOUT: 200,
  RETRYCNT: 500,
  CONTIMEOUT: 5000,
  MQRWTIMEOUT: 10_000,
  MQRETRYCNT: 3,
  MERGETIMEOUT: 0,
  SOCKTHREADCNT: 0,
  MQTHREADCNT: 0,
  MAXSOCKPOOL: 1,
  SOCKPOOLTIMEOUT: 60,
  K2HMASKBIT: 8,
  K2HCMASKBIT: 4,
  K2HMAXELE: 32,
} as const;

/** Names of the ways to make a node's id. */
const idTypes = ['NAME', 'CUK', 'CTLENDPOINTS', 'CTLEPS', 'CUSTOM'];

/** Reads `[GLOBAL]`; `problem` makes the error of a sentence about the file. */
export function readGlobal(sections: readonly Section[], problem: (what: string) => Error): Global {
  const values = new Map(
    sections.filter((one) => one.name === 'GLOBAL').flatMap((one) => [...one.values]),
  );
  const text = (key: string): string => values.get(key) ?? '';
  const needed = (key: string): string => {
    if (text(key) !== '') return text(key);
    throw problem(`does not have "${key}" in [GLOBAL] section.`);
  };
  const undefinedValue = (key: string): Error =>
    problem(`have "${key}" in [GLOBAL] section, but value ${text(key)} does not defined.`);
  const flag = (key: string): boolean => {
    const value = values.has(key) ? onOff(text(key)) : false;
    if (value !== undefined) return value;
    throw problem(`have wrong "${key}" value(${text(key)}) in [GLOBAL] section.`);
  };

  const group = needed('GROUP');
  const fileVersion = atoi(needed('FILEVERSION'));
  const mode = text('MODE').toUpperCase();
  if (mode !== '' && mode !== 'SERVER' && mode !== 'SLAVE') throw undefinedValue('MODE');
  const idType = (text('CHMPXIDTYPE') || 'NAME').toUpperCase();
  if (!idTypes.includes(idType)) throw undefinedValue('CHMPXIDTYPE');
  const deliver = needed('DELIVERMODE').toLowerCase();
  if (deliver !== 'hash' && deliver !== 'random') throw undefinedValue('DELIVERMODE');
  const random = deliver === 'random';
  const mqAck = values.has('MQACK') ? flag('MQACK') : true;
  const doMerge = !random && flag('DOMERGE');
  const autoMerge = random || (flag('AUTOMERGE') && doMerge);
  return {
    group,
    fileVersion,
    date: Math.trunc((Date.parse(text('DATE').replace(/ {2}(\d{4})$/, ' +$1')) || 0) / 1000),
    mode: mode === '' ? undefined : mode,
    idType,
    random,
    port: values.has('PORT') ? port(text('PORT')) : -1,
    ctlport: values.has('CTLPORT') ? port(text('CTLPORT')) : -1,
    selfCtlport: values.has('SELFCTLPORT') ? port(text('SELFCTLPORT')) : -1,
    selfCuk: text('SELFCUK'),
    autoMerge,
    doMerge,
    mqAck,
    numbers: readNumbers(values, problem),
  };
}

function readNumbers(
  values: ReadonlyMap<string, string>,
  problem: (what: string) => Error,
): Global['numbers'] {
  const numbers: Record<string, number> = { ...defaults };
  for (const key of Object.keys(defaults)) {
    const text = values.get(key);
    if (text === undefined) continue;
    numbers[key] = atoi(text);
    if (atoi(text) < (key === 'MAXSOCKPOOL' ? 1 : 0)) {
      throw problem(`have wrong "${key}" value(${text}) in [GLOBAL] section.`);
    }
  }
  return { ...defaults, ...numbers };
}
