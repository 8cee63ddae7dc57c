import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { fetchRoleAccess } from '../../src/k2hr3/extdata.ts';
import type { SlowAnswer } from '../simulators/k2hr3/faults.ts';
import { startK2hr3 } from '../simulators/k2hr3/stand-in.ts';

/** A K2HR3 that is tried, with one cluster that has no hosts. */
export interface Subject {
  isReal: boolean;
  /** `http://host:port` of its API. */
  url: string;
  extdataUrl: string;
  cluster: string;
  /** How it answers while its backend hangs; a real one chooses by itself. */
  slowAnswers: SlowAnswer[];
  /** The K2HDKC behind the API stops, and goes on. */
  hang(answer: SlowAnswer): Promise<void>;
  goOn(): Promise<void>;
  /** The API ends and starts again; it keeps what it knows. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The stand-in, or a real K2HR3: `K2HR3_TEST_EXTDATA_URL` is the extdata URL of an empty cluster in
 * it, and `K2HR3_TEST_CONTROL` a program that is run with `hang`, `go-on` (the K2HDKC behind it) or
 * `restart` (the API; back when the program ends).
 */
export async function startSubject(environment: NodeJS.ProcessEnv): Promise<Subject> {
  const { K2HR3_TEST_EXTDATA_URL: url, K2HR3_TEST_CONTROL: control } = environment;
  if (!url) return standIn();
  if (!control) throw new Error('K2HR3_TEST_EXTDATA_URL is set, but not K2HR3_TEST_CONTROL');
  return real(url, control);
}

async function standIn(): Promise<Subject> {
  const k2hr3 = await startK2hr3();
  const cluster = 'mycluster';
  const { extdataUrl } = k2hr3.addCluster({
    cluster,
    serverPort: 8020,
    serverControlPort: 8021,
    slaveControlPort: 8031,
  });
  return {
    isReal: false,
    url: k2hr3.url,
    extdataUrl,
    cluster,
    slowAnswers: ['token-not-existed', 'no-data', 'no-access', 'no-policy'],
    hang: (answer) => {
      k2hr3.faults.slowUnauthorized = { delayMs: 30, answer };
      return Promise.resolve();
    },
    goOn: () => {
      k2hr3.faults.slowUnauthorized = undefined;
      return Promise.resolve();
    },
    restart: async () => {
      await k2hr3.goDown();
      await k2hr3.comeBack();
    },
    stop: () => k2hr3.stop(),
  };
}

async function real(extdataUrl: string, control: string): Promise<Subject> {
  const { apiUri, roleName } = await fetchRoleAccess({ clock: systemClock }, extdataUrl);
  const run = async (what: string): Promise<void> => {
    await promisify(execFile)(control, [what]);
  };
  return {
    isReal: true,
    url: apiUri,
    extdataUrl,
    cluster: roleName.replace(/^.*:role:/, '').replace(/\/server$/, ''),
    slowAnswers: ['token-not-existed'],
    hang: () => run('hang'),
    goOn: () => run('go-on'),
    restart: () => run('restart'),
    stop: () => Promise.resolve(),
  };
}
