import { describe, expect, it } from 'vitest';
import { MergeDriver, type MergeOutcome } from '../../src/ring/change/merge-driver.ts';
import { systemClock } from '../../src/base/clock.ts';
import { ControlPorts } from '../../src/ring/control/control-ports.ts';
import type { MergeGoal } from '../../src/ring/change/merge-steps.ts';
import { parseRingStatus, type RingStatus } from '../../src/ring/status.ts';
import { IN, OUT } from '../conformance/lab.ts';
import { RingLab } from '../conformance/ring-lab.ts';
import type { RingMember } from '../conformance/ring-member.ts';
import { sightOf } from '../ring/sight-of.ts';
import { silentLog } from '../helpers/recording-log.ts';

const PENDING = '[SERVICE IN][UP][n/a][Pending][NoSuspend]';
const ADD_PENDING = '[SERVICE IN][UP][ADD][Pending][NoSuspend]';
const all = (found: number): object => ({ found, missing: 0, failed: 0 });
const never = new AbortController().signal;

/** Leads as the agent of this server would. */
function lead(
  member: RingMember,
  goal: MergeGoal,
  { tailMs = 20_000, role = new Set<string>() } = {},
): Promise<MergeOutcome> {
  const control = new ControlPorts({ ownHost: member.host.address, clock: systemClock });
  const sight = sightOf(() => statusOf(member), systemClock);
  const driver = new MergeDriver({
    sight,
    send: async (order) => sight.self && control.send(order, sight.self),
    pollMs: 20,
    stepMs: 20_000,
    role: () => role,
    patience: { tailMs, mergeMs: 40_000, tries: 2 },
    clock: systemClock,
    log: silentLog,
  });
  return driver.run(goal, 50_000, never);
}

async function statusOf(member: RingMember): Promise<RingStatus | null> {
  const { text } = await member.host.run('chmpxstatus', ['-conf', member.ini]);
  return parseRingStatus(text);
}

/** Two servers with 300 keys, and a third that waits outside. */
async function withJoiner(): Promise<RingLab> {
  const lab = await RingLab.open({ count: 3, autoMerge: false });
  await lab.form(2);
  expect(await lab.write('k', 300)).toBe(300);
  await lab.list(lab.server(3), lab.servers.slice(0, 2));
  await lab.server(3).start();
  await lab.server(3).reaches(OUT);
  return lab;
}

describe('a coordinated merge', () => {
  it('loses sight of no key when a server joins, nor when it leaves', async () => {
    const lab = await withJoiner();
    const third = lab.server(3);
    expect(await lead(third, 'join')).toMatchObject({ result: 'done', aborted: 0 });
    for (const member of lab.servers) await member.reaches(IN);
    expect(await lab.read('k', 300)).toEqual(all(300));
    expect(await lab.write('n', 200)).toBe(200);
    expect(await lead(third, 'leave')).toMatchObject({ result: 'done' });
    await third.reaches(OUT);
    expect(await lab.read('k', 300)).toEqual(all(300));
    expect(await lab.read('n', 200)).toEqual(all(200));
  });

  it('makes a new ring of servers that wait together', async () => {
    const lab = await RingLab.open({ count: 3, autoMerge: false });
    lab.publish(lab.servers, lab.servers);
    await Promise.all(lab.servers.map((member) => member.start()));
    for (const member of lab.servers) await member.reaches(OUT);
    for (const other of lab.servers.slice(1)) await lab.server(1).sees(other, OUT);
    expect(await lead(lab.server(1), 'join')).toMatchObject({ result: 'done' });
    for (const member of lab.servers) await member.reaches(IN);
  });

  it('that hangs is undone: the ring is open as it was, without the joiner', async () => {
    const lab = await withJoiner();
    lab.server(3).host.environment['ANTPICKAX_STANDIN_LOST_ANSWER'] = '1';
    await lab.server(3).kill();
    await lab.server(3).start();
    await lab.server(3).reaches(OUT);
    expect(await lead(lab.server(3), 'join', { tailMs: 500 })).toMatchObject({ result: 'undone' });
    await lab.server(3).reaches(OUT);
    for (const member of lab.servers.slice(0, 2)) await member.reaches(IN);
    expect(await lab.read('k', 300)).toEqual(all(300));
  });

  it('that hangs at another server is done when that one has started again', async () => {
    const lab = await withJoiner();
    const second = lab.server(2);
    second.host.environment['ANTPICKAX_STANDIN_LOST_ANSWER'] = '1';
    await second.kill();
    await second.start();
    await second.reaches(PENDING);
    second.host.environment['ANTPICKAX_STANDIN_LOST_ANSWER'] = '0';
    const leading = lead(lab.server(3), 'join', { tailMs: 500 });
    await second.reaches('[SERVICE IN][UP][n/a][Doing][NoSuspend]');
    await second.reaches(PENDING);
    await second.kill(); // as its own agent does
    await second.start();
    expect(await leading).toMatchObject({ result: 'done', aborted: 1 });
    for (const member of lab.servers) await member.reaches(IN);
    expect(await lab.read('k', 300)).toEqual(all(300));
  });

  it('that hangs at the leaver, who leads, is left to its restart: back, it opens the ring', async () => {
    const lab = await withJoiner();
    const third = lab.server(3);
    expect(await lead(third, 'join')).toMatchObject({ result: 'done' });
    third.host.environment['ANTPICKAX_STANDIN_LOST_ANSWER'] = '1';
    await third.kill();
    await third.start();
    await third.reaches(PENDING);
    expect(await lead(third, 'leave', { tailMs: 500 })).toMatchObject({ result: 'hung' });
    third.host.environment['ANTPICKAX_STANDIN_LOST_ANSWER'] = '0';
    await third.kill(); // as its own agent does
    await third.start();
    await third.reaches(PENDING);
    expect(await lead(third, 'finish')).toMatchObject({ result: 'done' });
    for (const member of lab.servers) await member.reaches(IN);
    expect(await lab.read('k', 300)).toEqual(all(300));
  });

  it('whose leader is gone is finished by another', async () => {
    const lab = await withJoiner();
    const [first, , third] = lab.servers as [RingMember, RingMember, RingMember];
    await third.ask('SERVICEIN');
    await third.reaches(ADD_PENDING);
    await first.ask(`SERVICEOUT ${first.id}`);
    await first.ask('SERVICEIN');
    await first.reaches(PENDING);
    expect(await lead(lab.server(2), 'finish')).toMatchObject({ result: 'done' });
    for (const member of lab.servers) await member.reaches(IN);
    expect(await lab.read('k', 300)).toEqual(all(300));
  });

  it('takes a server out that is down and no longer in the role', async () => {
    const lab = await RingLab.open({ count: 3, autoMerge: false });
    await lab.form(3);
    const [first, second, third] = lab.servers as [RingMember, RingMember, RingMember];
    await third.kill();
    await first.sees(third, '[SERVICE IN][DOWN][n/a][Nothing][NoSuspend]');
    const role = new Set([first.cuk, second.cuk]);
    expect(await lead(first, 'finish', { role })).toMatchObject({ result: 'done' });
    for (const member of [first, second]) await member.reaches(IN);
    await first.sees(third, '[SERVICE OUT][DOWN][n/a][Nothing][NoSuspend]');
  });

  it('of a server that is back concerns that server only', async () => {
    const lab = await RingLab.open({ count: 2, autoMerge: false });
    await lab.form(2);
    const victim = lab.server(2);
    await victim.kill();
    await victim.start();
    await victim.reaches(PENDING);
    expect(await lead(victim, 'finish')).toMatchObject({ result: 'done' });
    await victim.reaches(IN);
  });
});
