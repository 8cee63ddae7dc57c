import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../helpers/bundle.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';
import { isRunning } from '../peers/processes.ts';
import type { LabVm } from '../peers/vm/lab-vm.ts';
import { Lab } from '../peers/vm/lab.ts';
import { namespacesPermitted } from '../peers/vm/permitted.ts';
import { readRecord } from '../peers/vm/record.ts';

const reason = namespacesPermitted();
if (reason !== null) process.stderr.write(`simulated VMs are not permitted here: ${reason}\n`);

/** Prints what it receives, each piece with the address that it came from. */
const SERVER = `require('net').createServer((socket) =>
  socket.on('data', (data) => console.log(socket.remoteAddress.slice(7) + ' ' + data)),
).listen(7000, () => console.log('listening'))`;

/** Connects and sends a piece, and another at SIGUSR2. */
const CLIENT = `const socket = require('net').connect(7000, process.argv[1], () => socket.write('first'));
process.on('SIGUSR2', () => socket.write('second'));
socket.on('error', (error) => console.log(error.message));`;

describe.runIf(reason === null)('simulated VMs', () => {
  let directory: string;
  let lab: Lab;
  let one: LabVm;
  let two: LabVm;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'k2hdkc-lab-'));
    lab = await Lab.open(directory);
    one = await lab.addVm();
    two = await lab.addVm({ instanceId: 'the-nova-id' });
    await Promise.all([one.start(), two.start()]);
  });

  afterAll(async () => {
    await lab.close();
    await rm(directory, { recursive: true });
  });

  it('have names, boots, processes, disks and queues of their own', async () => {
    const look = `hostname; cat /proc/sys/kernel/random/boot_id; echo $$; ls -A /dev/mqueue /tmp`;
    const [seen, other] = await Promise.all([sh(one, look), sh(two, look)]);
    expect(seen.split('\n').slice(0, 2)).toEqual(['node1.lab', one.bootId]);
    expect(other.split('\n').slice(0, 2)).toEqual(['node2.lab', two.bootId]);
    expect(Number(seen.split('\n')[2])).toBeLessThan(100);
    expect(one.bootId).not.toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());

    await sh(one, 'echo one >/var/lib/antpickax/who; echo >/tmp/who; ipcmk --queue');
    expect(await readFile(one.path('/var/lib/antpickax/who'), 'utf8')).toBe('one\n');
    // The project itself can be below /tmp, so the folder need not be empty.
    expect(await sh(two, 'ls /var/lib/antpickax/who /tmp/who 2>/dev/null || true')).toBe('');
    expect(await sh(two, 'ipcs -q | grep -c ^0x || true')).toBe('0');
    expect(existsSync('/var/lib/antpickax/who')).toBe(false);
    expect(await sh(two, 'cat /var/lib/cloud/data/instance-id')).toBe('the-nova-id');
  });

  it('cannot change the host, nor be changed by it', async () => {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    await sh(one, 'mkdir /srv/of-the-vm /usr/of-the-vm; mount -t tmpfs x /mnt');
    expect(existsSync('/srv/of-the-vm')).toBe(false);
    expect(existsSync('/usr/of-the-vm')).toBe(false);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(mounts);
    await writeFile(path.join(directory, 'of-the-host'), '');
    expect(await sh(one, `ls ${directory} 2>&1`)).toMatch(/No such file/);
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    expect(Number(await sh(one, 'ls -d /proc/[0-9]* | wc -l'))).toBeLessThan(pids.length);
  });

  it('reach each other by name, from their own addresses', async () => {
    const server = await serve(two);
    await one.run(process.execPath, ['-e', CLIENT, 'node2.lab']);
    await server.line('10.77.0.11 first');
    await one.run(process.execPath, ['-e', CLIENT, 'node2']);
    await server.line('10.77.0.11 first');
    server.end();
  });

  it('learn the name of a VM that comes later', async () => {
    const three = await lab.addVm({ name: 'late' });
    await three.start();
    expect(await sh(one, 'getent hosts late.lab')).toMatch(/^10\.77\.0\.13 /);
    expect(await sh(three, 'getent hosts node1 hub')).toMatch(/^10\.77\.0\.11 .*\n10\.77\.0\.1 /);
    await lab.removeVm(three);
    expect(existsSync(path.join(directory, 'late'))).toBe(false);
  });

  it('are cut off without a sign, and connected again', async () => {
    const server = await serve(two);
    const client = await one.run(process.execPath, ['-e', CLIENT, 'node2.lab']);
    await server.line('10.77.0.11 first');

    await one.partition(true);
    client.signal('SIGUSR2');
    const attempt = "timeout 1 bash -c 'exec 3<>/dev/tcp/node2.lab/7000'; echo $?";
    expect(await sh(one, attempt)).toBe('124');
    expect(await sh(one, "timeout 1 bash -c 'exec 3<>/dev/tcp/hub.lab/7000'; echo $?")).toBe('124');
    expect(await sh(one, 'cat /sys/class/net/eth0/carrier')).toBe('1');
    expect(server.seen).not.toContain('10.77.0.11 second');
    expect(client.identity && isRunning(client.identity)).toBe(true);

    await one.partition(false);
    await server.line('10.77.0.11 second');
    server.end();
  });

  it('come back from a reboot with another boot id and the same disk', async () => {
    const { bootId } = two;
    await sh(two, 'for d in /var/lib/antpickax /tmp /run /etc; do echo kept >$d/kept; done');
    const running = await two.run('sleep', ['1000']);
    await two.partition(true);
    await two.reboot();
    expect(await running.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect(two.bootId).not.toBe(bootId);
    expect(await sh(two, 'cat /proc/sys/kernel/random/boot_id')).toBe(two.bootId);
    expect(
      await sh(two, 'ls -d /var/lib/antpickax/kept /tmp/kept /run/kept /etc/kept 2>/dev/null'),
    ).toBe('/var/lib/antpickax/kept');
    const attempt = "timeout 1 bash -c 'exec 3<>/dev/tcp/10.77.0.11/7000' 2>/dev/null; echo $?";
    expect(await sh(two, attempt)).toBe('124'); // still cut
    await two.partition(false);
    // Refused: somebody is there. The kernel may need a second try at the neighbour's address.
    await until('it is connected', async () => (await sh(two, attempt)) === '1');
  });

  it('tell how a command ended, and do not wait for ever', async () => {
    expect(await one.exec('sh', ['-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      code: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await one.exec('sh', ['-c', 'kill -9 $$'])).toMatchObject({ signal: 'SIGKILL' });
    expect((await one.exec('printenv', ['A'], { env: { A: 'b' } })).stdout).toBe('b\n');
    await expect(one.exec('sleep', ['60'], { timeoutMs: 100 })).rejects.toThrow(
      'sleep in node1 did not end within 100 ms',
    );
    await until('it is gone', () => !one.processes().some(({ command }) => command[1] === '60'));
  });

  it('bury their orphans', async () => {
    await sh(one, '(sleep 0.05 & exec sleep 0.01) & wait');
    await until('no zombie', async () => !/ Z /.test(await sh(one, 'ps -eo pid,stat,comm')));
    expect(one.processes().map(({ pid }) => pid)).toContain(1);
  });

  it('reach what listens at the hub, which sees their addresses, and nothing else', async () => {
    const callers: (string | undefined)[] = [];
    const door = await lab.hub.listen((socket) => {
      callers.push(socket.remoteAddress);
      socket.end();
    });
    const call = `bash -c 'exec 3<>/dev/tcp/hub.lab/${door.port} && cat <&3'`;
    await Promise.all([sh(one, call), sh(two, call)]);
    expect(callers.sort()).toEqual(['10.77.0.11', '10.77.0.12']);
    await door.close();
    expect((await one.exec('sh', ['-c', call])).stderr).toMatch(/Connection refused/);

    const server = createServer((socket) => socket.end('from the host')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const relay = await lab.hub.relay(port);
    const read = (host: string): Promise<string> =>
      sh(one, `timeout 10 bash -c 'exec 3<>/dev/tcp/${host}/${port} && cat <&3' 2>&1`);
    expect(await read('hub.lab')).toBe('from the host');
    expect(await read('127.0.0.1')).toMatch(/Connection refused/);
    await relay.close();
    server.close();
  });

  it('say why they do not boot', async () => {
    const own = await temporaryDirectory();
    const broken = await Lab.open(own, { programs: '/nowhere' });
    const vm = await broken.addVm();
    await expect(vm.start()).rejects.toThrow(/boot\.sh failed: mount: .*\/nowhere/);
    expect(vm.bootId).toBeUndefined();
    await broken.close();
  });

  it('leave nothing when their lab is closed', async () => {
    const own = await temporaryDirectory();
    const closing = await Lab.open(own);
    const vm = await closing.addVm();
    await vm.start();
    await vm.run('setsid', ['--fork', 'sleep', '1000']);
    const { hub } = closing;
    const namespaces = [
      ...namespacesOf(vm.record.boot?.init.pid),
      ...namespacesOf(hub.identity.pid),
    ];
    const ours = namespaces.filter((one) => !namespacesOf(process.pid).includes(one));
    expect(ours).toHaveLength(6);
    await closing.close();
    expect(namespacesInUse().filter((one) => ours.includes(one))).toEqual([]);
    expect(readdirSync(own).sort()).toEqual(['hub.log', 'node1']);
  });

  it('leave nothing when their process is killed', async () => {
    const own = await temporaryDirectory();
    const program = await bundle(
      'test/integration/lab.child.ts',
      path.join(projectRoot, 'dist/test'),
    );
    const child = spawn(process.execPath, [program, own], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(createInterface({ input: child.stdout }), 'line');
    const record = readRecord(own);
    const init = record?.vms[0]?.boot?.init.pid;
    const before = namespacesOf(process.pid);
    const ours = [...namespacesOf(init), ...namespacesOf(record?.hub.pid)].filter(
      (one) => !before.includes(one),
    );
    expect(ours).toHaveLength(6);
    await expect(Lab.open(own)).rejects.toThrow(`is the lab of process ${child.pid ?? 0}`);
    child.kill('SIGKILL');
    await until('all is gone', () => !namespacesInUse().some((one) => ours.includes(one)));
    await until('its process is', () => record && !isRunning(record.owner));

    const next = await Lab.open(own);
    expect(existsSync(path.join(own, 'node1'))).toBe(false);
    await next.close();
  });
});

/** Runs a shell script in a VM; its output, without the last newline. */
async function sh(vm: LabVm, script: string): Promise<string> {
  return (await vm.exec('sh', ['-c', script])).stdout.trimEnd();
}

/** Starts the server above. */
async function serve(vm: LabVm) {
  const server = await vm.run(process.execPath, ['-e', SERVER]);
  const seen: string[] = [];
  if (server.stdout) createInterface(server.stdout).on('line', (line) => seen.push(line));
  const take = (line: string): boolean => {
    const index = seen.indexOf(line);
    if (index >= 0) seen.splice(index, 1);
    return index >= 0;
  };
  const line = (text: string): Promise<boolean> => until(text, () => take(text));
  await line('listening');
  return { seen, line, end: () => server.signal('SIGTERM') };
}

/** The namespaces that a process is in. */
function namespacesOf(pid: number | undefined): string[] {
  const kinds = ['net', 'mnt', 'uts', 'ipc', 'pid'];
  try {
    return kinds.map((kind) => readlinkSync(`/proc/${pid ?? 0}/ns/${kind}`));
  } catch {
    return []; // it is gone
  }
}

function namespacesInUse(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => namespacesOf(Number(pid)));
}
