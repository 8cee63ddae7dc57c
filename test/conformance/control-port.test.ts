import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { CUK, SEED } from './ini.ts';
import { IN, IN_ALONE, Lab, OUT, OUT_ALONE } from './lab.ts';

const LEAVING = '[SERVICE IN][UP][DELETE][Pending][NoSuspend]';

describe('control port: asking (docs/contracts/chmpx.md, 3)', () => {
  it('VERSION answers one line, in any case and with any line end', async () => {
    const lab = await Lab.open();
    await lab.serve();
    for (const command of ['VERSION', 'version\n', 'Version\r\n']) {
      expect(await lab.ask(command)).toMatch(/^Version \S+ \(commit: \w+\)[^\n]*\n$/);
    }
  });

  it('SELFSTATUS names the node and its status', async () => {
    const lab = await Lab.open();
    await lab.serve();
    const answer = await lab.ask('SELFSTATUS');
    expect(answer).toMatch(/^Server Name {15}= \S+$/m);
    expect(answer).toMatch(new RegExp(`^RING Name {17}= ${lab.group}$`, 'm'));
    expect(answer).toMatch(new RegExp(`^ {4}CUK {19}= ${CUK}$`, 'm'));
    expect(answer).toMatch(new RegExp(`^ {4}Custom ID Seed {8}= ${SEED}$`, 'm'));
    expect(answer).toContain(`Server Status         = 0x21(SAFE -> ${IN})`);
  });

  it('SELFSTATUS of a node without k2hdkc shows 0x10011, and one that lost it 0x10021', async () => {
    const lab = await Lab.open();
    await lab.startChmpx();
    await sleep(systemClock, 2500); // a request during the start can hold up the join
    expect(await lab.ask('SELFSTATUS')).toContain(`= 0x10011(SAFE -> ${OUT_ALONE})`);
    const k2hdkc = lab.start('k2hdkc');
    await lab.reaches(IN);
    await k2hdkc.kill();
    await lab.reaches(IN_ALONE);
    expect(await lab.ask('SELFSTATUS')).toContain(`= 0x10021(SAFE -> ${IN_ALONE})`);
  });

  it('ALLSTATUS numbers the servers and leaves out the slaves', async () => {
    const lab = await Lab.open();
    await lab.serve();
    const answer = await lab.ask('ALLSTATUS');
    expect(answer).toMatch(new RegExp(`^RING Name {14}= ${lab.group}\nNo.1\n`));
    expect(answer).not.toContain('No.2');
    expect(answer).toContain(`Server Status      = 0x21(SAFE -> ${IN})`);
  });

  it('DUMP holds the status too', async () => {
    const lab = await Lab.open();
    await lab.serve();
    expect(await lab.ask('DUMP')).toContain(`= SAFE -> ${IN}`);
  });

  it('an unknown command, a blank one and one in two pieces are not understood', async () => {
    const lab = await Lab.open();
    await lab.serve();
    expect(await lab.ask('BOGUS one')).toBe('Unknown command(BOGUS)\n');
    expect(await lab.ask('\n')).toBe('Unknown command()\n');
    expect(await lab.ask('SELF', 'STATUS')).not.toContain('Server Status');
  });

  it('a connection that says nothing stays open and hinders nobody', async () => {
    const lab = await Lab.open();
    await lab.serve();
    const idle = net.connect(lab.ctlport, '127.0.0.1');
    let closed = false;
    idle.once('close', () => (closed = true));
    expect(await lab.ask('VERSION')).toMatch(/^Version/);
    await sleep(systemClock, 1000);
    expect(closed).toBe(false);
    idle.destroy();
  });

  it('some requests close behind each other take 5 s', async () => {
    const lab = await Lab.open();
    await lab.serve();
    let longest = 0;
    for (let count = 0; count < 600 && longest < 4; count += 1) {
      const start = systemClock.monotonic();
      await new Promise((resolve) => {
        const socket = net.connect(lab.ctlport, '127.0.0.1').once('close', resolve).resume();
        socket.on('error', () => undefined); // the real one may end it by a reset: closed is closed
        socket.write('VERSION');
      });
      longest = Math.max(longest, (systemClock.monotonic() - start) / 1000);
    }
    expect(longest).toBeGreaterThan(4);
  });
});

describe('control port: changing (docs/contracts/chmpx.md, 3.2)', () => {
  it('SERVICEIN is refused while the node is in service, or has no k2hdkc', async () => {
    const lab = await Lab.open();
    const refusal = 'ERROR: Could not change status, because status is not allowed.\n';
    await lab.startChmpx();
    await sleep(systemClock, 2500);
    expect(await lab.ask('SERVICEIN')).toBe(refusal);
    lab.start('k2hdkc');
    await lab.reaches(IN);
    expect(await lab.ask('SERVICEIN')).toBe(refusal);
    expect(await lab.status()).toBe(IN);
  });

  it('SERVICEOUT needs three parts, and the third is the CUSTOM_ID_SEED, not the CUK', async () => {
    const lab = await Lab.open();
    await lab.serve();
    const sixth = ` fd77::11:${lab.ctlport}:${SEED}`; // is more parts
    for (const parameter of ['', ' 127.0.0.1', ` 127.0.0.1:${lab.ctlport}`, sixth]) {
      expect(await lab.ask(`SERVICEOUT${parameter}`)).toMatch(
        /^ERROR: SERVICEOUT command must have parameter/,
      );
    }
    const byCuk = await lab.ask(`SERVICEOUT 127.0.0.1:${lab.ctlport}:${CUK}`);
    expect(byCuk).toBe('ERROR: There is no such as server.\n');
    expect(await lab.status()).toBe(IN);
  });

  it('SERVICEOUT of the last server is an error, and yet it stays DELETE Pending', async () => {
    const lab = await Lab.open();
    await lab.serve();
    const answer = await lab.ask(`SERVICEOUT 127.0.0.1:${lab.ctlport}:${SEED}`);
    expect(answer).toBe('ERROR: Failed to send status notice to other servers.\n');
    expect(await lab.status()).toBe(LEAVING);
    await sleep(systemClock, 5000);
    expect(await lab.status()).toBe(LEAVING);
  });

  it('SERVICEIN takes back the SERVICEOUT of the last server', async () => {
    const lab = await Lab.open();
    await lab.serve();
    await lab.ask(`SERVICEOUT 127.0.0.1:${lab.ctlport}:${SEED}`);
    expect(await lab.ask('SERVICEIN')).toMatch(/^SUCCEED/);
    await lab.reaches(IN);
  });

  it('MERGE completes the SERVICEOUT of the last server; SERVICEIN brings it back', async () => {
    const lab = await Lab.open();
    await lab.serve();
    await lab.ask(`SERVICEOUT 127.0.0.1:${lab.ctlport}:${SEED}`);
    expect(await lab.ask('MERGE')).toMatch(/^SUCCEED/);
    await lab.reaches(OUT);
    expect(await lab.ask('SERVICEIN')).toMatch(/^SUCCEED/);
    await lab.reaches(IN);
  });

  it.each(['MERGE', 'COMPMERGE', 'ABORTMERGE', 'SUSPENDMERGE', 'NOSUSPENDMERGE', 'UPDATESTATUS'])(
    '%s on a settled node says SUCCEED and changes nothing',
    async (command) => {
      const lab = await Lab.open();
      await lab.serve();
      expect(await lab.ask(command)).toMatch(/^SUCCEED/);
      expect(await lab.status()).toBe(IN);
    },
  );

  it('SUSPEND and COMPLETEMERGE do not exist', async () => {
    const lab = await Lab.open();
    await lab.serve();
    expect(await lab.ask('SUSPEND')).toBe('Unknown command(SUSPEND)\n');
    expect(await lab.ask('COMPLETEMERGE')).toBe('Unknown command(COMPLETEMERGE)\n');
  });
});
