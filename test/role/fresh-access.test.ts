import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secrets } from '../../src/base/secrets.ts';
import { fetchRoleAccess, type RoleAccess } from '../../src/k2hr3/extdata.ts';
import { register } from '../../src/k2hr3/registration-calls.ts';
import { fingerprintOf } from '../../src/k2hr3/registration-record.ts';
import { FreshAccess } from '../../src/role/fresh-access.ts';
import type { Registration } from '../../src/role/registration.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { from } from '../k2hr3/peers.ts';
import { PARAMETERS, registrationFor } from '../node/builders.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { startK2hr3, type K2hr3StandIn } from '../simulators/k2hr3/stand-in.ts';

const PORTS = { serverPort: 8020, serverControlPort: 8021, slaveControlPort: 8031 };
const http = from('127.0.0.11');
let k2hr3: K2hr3StandIn;
let clock: ManualClock;
let secrets: Secrets;
let recorded: ReturnType<typeof recordingLog>;
let fresh: FreshAccess;
/** The URL and the token of the first "Apply" in the dashboard. */
let url: string;
let registration: Registration;

beforeEach(async () => {
  k2hr3 = await startK2hr3();
  clock = new ManualClock();
  secrets = new Secrets();
  recorded = recordingLog();
  fresh = new FreshAccess({ clock, secrets, log: recorded.log, getAccess: fetchRoleAccess });
  url = apply();
  const access = await fetchRoleAccess(http, url);
  const extdataFingerprint = fingerprintOf(url);
  registration = { ...registrationFor(PARAMETERS), ...access, extdataFingerprint };
  await register(http, access, registration);
});
afterEach(() => k2hr3.stop());

/** "Apply" in the dashboard: another URL and another token for the same role. */
function apply(cluster = 'mycluster'): string {
  return k2hr3.addCluster({ cluster, ...PORTS }).extdataUrl;
}

const asked = (): number =>
  k2hr3.requests.filter(({ path }) => path.startsWith('/v1/extdata/')).length;
const find = (at = url) => fresh.find(http, registration, at);

describe('a role token that is refused', () => {
  /** Says so many refusals, one each `ms`; whether the last of them was enough. */
  async function refusals(many: number, ms: number): Promise<boolean> {
    let enough = fresh.refused();
    for (let n = 1; n < many; n++) {
      await clock.advance(ms);
      enough = fresh.refused();
    }
    return enough;
  }

  it('three times over two minutes is dead', async () => {
    expect(await refusals(3, 60_000)).toBe(true);
  });

  it.each([
    ['twice, however far apart', 2, 3_600_000],
    ['often, within less than two minutes', 100, 1_200],
  ])('%s, is not dead yet', async (_, many, ms) => {
    expect(await refusals(many, ms)).toBe(false);
  });

  it('is counted from the start after it was accepted', async () => {
    await refusals(3, 60_000);
    fresh.accepted();
    expect(await refusals(2, 120_000)).toBe(false);
    await clock.advance(1);
    expect(fresh.refused()).toBe(true);
  });
});

describe('another access', () => {
  it('is that of a new extdata URL, once it has been read with', async () => {
    const another = apply();
    const found = await find(another);
    const { apiUri, tenant, roleName, roleToken } = await fetchRoleAccess(http, another);
    const expected: RoleAccess = { apiUri, tenant, roleName, roleToken };
    expect(found).toEqual({ ...expected, extdataFingerprint: fingerprintOf(another) });
    expect(roleToken).not.toBe(registration.roleToken);
    expect(secrets.scrub(roleToken)).toBe('[secret]');
    expect(recorded.lines).toMatchObject([{ level: 40 }]);
    expect(JSON.stringify(recorded.lines)).not.toContain(roleToken);
  });

  it('ends the count of refusals', async () => {
    fresh.refused();
    fresh.refused();
    await clock.advance(120_000);
    await find(apply());
    expect(fresh.refused()).toBe(false);
  });

  it('is that of a new URL also when K2HR3 does not know this host any more', async () => {
    k2hr3.removeHost('mycluster', registration.cuk);
    expect(await find(apply())).not.toBeNull();
  });

  it('is asked for at the same URL while K2HR3 knows this host, and is the same', async () => {
    const before = asked();
    expect(await find()).toBeNull();
    expect(asked()).toBe(before + 1);
  });

  it('is not asked for at the same URL while nothing proves that the backend is alive', async () => {
    const before = asked();
    k2hr3.faults.slowUnauthorized = { delayMs: 1 };
    expect(await find()).toBeNull();
    expect(asked()).toBe(before);
  });

  it('is not that of another role', async () => {
    expect(await find(apply('another'))).toBeNull();
  });

  it('is not one that cannot read the role', async () => {
    const another = apply();
    k2hr3.faults.slowUnauthorized = { delayMs: 1 };
    await expect(find(another)).rejects.toMatchObject({ kind: 'unauthorized' });
    expect(recorded.texts).toEqual([]);
  });
});
