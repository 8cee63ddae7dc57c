import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { IN, OUT } from './lab.ts';
import { RingLab } from './ring-lab.ts';
import type { RingMember } from './ring-member.ts';

const ADD_PENDING = '[SERVICE IN][UP][ADD][Pending][NoSuspend]';
const PENDING = '[SERVICE IN][UP][n/a][Pending][NoSuspend]';
const DONE = '[SERVICE IN][UP][n/a][Done][NoSuspend]';
const ADDED = '[SERVICE IN][UP][ADD][Done][NoSuspend]';
const LEAVING = '[SERVICE IN][UP][DELETE][Pending][NoSuspend]';
const LEFT = '[SERVICE IN][UP][DELETE][Done][NoSuspend]';
const GONE = '[SERVICE IN][DOWN][n/a][Nothing][NoSuspend]';

const all = (found: number): object => ({ found, missing: 0, failed: 0 });

/** Makes a server that stays take part in the next merge. */
async function includeInMerge(member: RingMember): Promise<void> {
  expect(await member.ask(`SERVICEOUT ${member.id}`)).toBe('SUCCEED\n');
  expect(await member.ask('SERVICEIN')).toBe('SUCCEED\n');
  await member.reaches(PENDING);
}

/** Two servers in service and a third that waits to join. */
async function withJoiner(): Promise<RingLab> {
  const lab = await RingLab.open({ count: 3, autoMerge: false });
  await lab.form(2);
  await lab.write('k', 600);
  await lab.list(lab.server(3), lab.servers.slice(0, 2));
  await lab.server(3).start();
  await lab.server(3).reaches(OUT);
  return lab;
}

/** A ring in which everybody waits for MERGE. */
async function closed(): Promise<RingLab> {
  const lab = await withJoiner();
  expect(await lab.server(3).ask('SERVICEIN')).toBe('SUCCEED\n');
  await lab.server(3).reaches(ADD_PENDING);
  await includeInMerge(lab.server(1));
  await includeInMerge(lab.server(2));
  await lab.slave.sees(lab.server(2), PENDING);
  return lab;
}

/** The same when all have merged, and wait for COMPMERGE. */
async function merged(): Promise<RingLab> {
  const lab = await closed();
  expect(await lab.server(1).ask('MERGE')).toBe('SUCCEED\n');
  await lab.server(3).reaches(ADDED);
  for (const member of lab.servers.slice(0, 2)) await member.reaches(DONE);
  return lab;
}

async function completed(lab: RingLab): Promise<void> {
  expect(await lab.server(1).ask('COMPMERGE')).toBe('SUCCEED\n');
  for (const member of lab.servers) await member.reaches(IN);
  await lab.slave.sees(lab.server(3), IN);
}

describe('merges by command (docs/contracts/ring.md, 7)', () => {
  it('with AUTOMERGE off a server stays out until SERVICEIN, MERGE and COMPMERGE', async () => {
    const lab = await withJoiner();
    const joiner = lab.server(3);
    expect(await joiner.ask('SERVICEIN')).toBe('SUCCEED\n');
    await joiner.reaches(ADD_PENDING);
    expect(await lab.read('k', 20)).toEqual(all(20));
    expect(await joiner.ask('COMPMERGE')).toBe('SUCCEED\n');
    expect(await joiner.status()).toBe(ADD_PENDING);
    expect(await joiner.ask('MERGE')).toBe('SUCCEED\n');
    await joiner.reaches(ADDED);
    expect((await lab.server(1).view()).operating).toBe(true);
    expect(await joiner.ask('COMPMERGE')).toBe('SUCCEED\n');
    await joiner.reaches(IN);
  });

  it('a merge of all servers moves every key when one joins', async () => {
    const lab = await merged();
    await completed(lab);
    expect(await lab.read('k', 600)).toEqual(all(600));
  });

  it('and when one leaves', async () => {
    const lab = await merged();
    await completed(lab);
    expect(await lab.write('n', 300)).toBe(300);
    const leaver = lab.server(3);
    expect(await leaver.ask(`SERVICEOUT ${leaver.id}`)).toBe('SUCCEED\n');
    await leaver.reaches(LEAVING);
    await includeInMerge(lab.server(1));
    await includeInMerge(lab.server(2));
    expect(await lab.server(1).ask('MERGE')).toBe('SUCCEED\n');
    await leaver.reaches(LEFT);
    for (const member of lab.servers.slice(0, 2)) await member.reaches(DONE);
    expect(await lab.server(2).ask('COMPMERGE')).toBe('SUCCEED\n');
    await leaver.reaches(OUT);
    await lab.slave.sees(leaver, OUT);
    expect(await lab.read('k', 600)).toEqual(all(600));
    expect(await lab.read('n', 300)).toEqual(all(300));
  });

  it('while it runs nothing else can be started', async () => {
    const lab = await merged();
    const [first] = lab.servers as [RingMember];
    const busy = 'ERROR: Could not change status, because server is operating now.\n';
    expect(await first.ask('MERGE')).toBe(
      'ERROR: Could not change status, because some servers could not be changed its status now.\n',
    );
    expect(await first.ask('SERVICEIN')).toBe(busy);
    expect(await first.ask(`SERVICEOUT ${lab.server(2).id}`)).toBe(busy);
  });

  it('ABORTMERGE makes everybody Pending again', async () => {
    const lab = await merged();
    expect(await lab.server(1).ask('ABORTMERGE')).toBe('SUCCEED\n');
    await lab.server(3).reaches(ADD_PENDING);
    await lab.server(1).reaches(PENDING);
    await lab.server(2).reaches(PENDING);
    expect((await lab.server(1).view()).operating).toBe(false);
  });

  it('a ring in which all are Pending is closed: a request waits for 8 s or longer, and fails', async () => {
    const lab = await closed();
    const start = systemClock.monotonic();
    const text = await lab.tool(['print k1']);
    expect(text).toContain('[ERR] RESULT CODE(DKC_RES_NORESTYPE - DKC_RES_SUBCODE_NORESTYPE)');
    expect(systemClock.monotonic() - start).toBeGreaterThan(8_000);
  });

  it('a server that crashed keeps its place, and comes back Pending', async () => {
    const lab = await RingLab.open({ count: 2, autoMerge: false });
    await lab.form(2);
    const victim = lab.server(2);
    await victim.kill();
    await lab.server(1).sees(victim, GONE);
    await victim.start();
    await victim.reaches(PENDING);
    expect(await victim.ask('SERVICEIN')).toBe(
      'ERROR: Could not change status, because status is not allowed.\n',
    );
    await victim.ask('MERGE');
    await victim.reaches(DONE);
    await victim.ask('COMPMERGE');
    await victim.reaches(IN);
  });

  it('SERVICEOUT, MERGE and COMPMERGE at another server take it out', async () => {
    const lab = await RingLab.open({ count: 3, autoMerge: false });
    await lab.form(3);
    const [first, victim] = [lab.server(1), lab.server(3)];
    await victim.kill();
    await first.sees(victim, GONE);
    expect(await first.ask(`SERVICEOUT ${victim.id}`)).toBe('SUCCEED\n');
    await first.sees(victim, '[SERVICE IN][DOWN][DELETE][Pending][NoSuspend]');
    expect(await first.ask('MERGE')).toBe('SUCCEED\n');
    await first.sees(victim, '[SERVICE IN][DOWN][DELETE][Done][NoSuspend]');
    expect(await first.ask('COMPMERGE')).toBe('SUCCEED\n');
    for (const member of [first, lab.server(2), lab.slave]) {
      await member.sees(victim, '[SERVICE OUT][DOWN][n/a][Nothing][NoSuspend]');
    }
  });
});
