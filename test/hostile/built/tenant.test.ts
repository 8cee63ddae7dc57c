import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { TcpProxy } from '../../helpers/tcp-proxy.ts';
import { until } from '../../helpers/until.ts';
import { Attacked } from './attacked.ts';

const CANARY = 'canary-77aa01f3';
/** Before K2HR3: answers in its place while there is something to say. */
let proxy: TcpProxy;
let inPlace: Buffer | undefined;
let attacked: Attacked;

beforeAll(async () => {
  attacked = await Attacked.open(
    {
      agentYaml:
        'k2hr3: { poll_interval: 0.2, changing_poll_interval: 0.2, total_timeout: 1, retry_cap: 0.5 }\n',
      environment: { OS_SERVICE_CREDENTIALS__PASSWORD: CANARY, LD_LIBRARY_CANARY: CANARY },
    },
    async ({ k2hr3 }) => {
      proxy = await TcpProxy.start(Number(new URL(k2hr3.url).port), { answer: () => inPlace });
      k2hr3.advertise(`http://127.0.0.1:${proxy.port}`);
    },
  );
});

afterAll(async () => {
  await attacked.close();
  proxy.close();
});

/** A value of the role that an operator may change at any time, to see that the role is read. */
let beat = 20_000;
async function isRead(): Promise<void> {
  const { stage, actor } = attacked;
  const value = ++beat;
  stage.k2hr3.changeTemplate(actor.cluster, (text) =>
    text.replace(/^RWTIMEOUT +=.*$/m, `RWTIMEOUT = ${value}`),
  );
  await until('the role is read', async () =>
    (await readFile(actor.vm.iniFile, 'utf8')).includes(`RWTIMEOUT = ${value}\n`),
  );
}

describe('a tenant whose role names what it must not', () => {
  const files: [string, (text: string) => string][] = [
    ['K2HFILE=/etc/shadow', (text) => text.replace(/^K2HFILE.*$/m, 'K2HFILE = /etc/shadow')],
    ['K2HFILE with ..', (text) => text.replace(/^(K2HFILE *= *\S*\/)\S+$/m, '$1../../../../etc/x')],
    [
      "K2HFILE=the agent's own file",
      (text) =>
        text.replace(/^K2HFILE.*$/m, `K2HFILE = ${attacked.actor.vm.path('state/desired.json')}`),
    ],
    ...['ATTRPLUGIN', 'DTORCTP', 'PASSFILE', 'SVRNODEINI', 'REPLCLUSTERINI'].map(
      (key): [string, (text: string) => string] => [
        key,
        (text) => text.replace('[K2HDKC]', `[K2HDKC]\n${key} = /tmp/evil.so`),
      ],
    ),
    ['a certificate', (text) => text.replace('[GLOBAL]', '[GLOBAL]\nSSL_CAPATH = /etc/shadow')],
  ];

  it.each(files)('by %s is refused, and nothing changes', async (_, change) => {
    const { stage, actor } = attacked;
    const { pids } = attacked;
    await isRead();
    const ini = await readFile(actor.vm.iniFile, 'utf8');
    const before = await stat('/etc/shadow');
    stage.k2hr3.changeTemplate(actor.cluster, change);
    await until('it is refused', async () => (await attacked.status()).role.problem !== null);
    expect(await readFile(actor.vm.iniFile, 'utf8')).toBe(ini);
    expect(attacked.pids).toEqual(pids);
    expect(await stat('/etc/shadow')).toMatchObject({
      ino: before.ino,
      uid: before.uid,
      mode: before.mode,
      mtimeMs: before.mtimeMs,
    });
    await isRead();
    expect((await attacked.status()).role.problem).toBeNull();
  });
});

const OK = 'HTTP/1.1 200 OK\r\n';

describe('a K2HR3, or what is before it, that answers with', () => {
  it.each([
    ['101', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['103 and nothing more', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
    ['a body without end', `${OK}Content-Length: 100000\r\n\r\nhalf`],
    ['half a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\nff\r\nhalf`],
    ['two lengths', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['2 MiB', `${OK}Content-Length: 2097152\r\n\r\n${'x'.repeat(2_097_152)}`],
    ['the page of a proxy', `${OK}Content-Length: 6\r\n\r\n<html>`],
    ['a redirect to itself', 'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'],
  ])('%s is read again when it has come to its senses', async (_, answer) => {
    const { pids } = attacked;
    inPlace = Buffer.from(answer);
    try {
      await until('it is noticed', async () => (await attacked.status()).role.problem !== null);
      expect(await attacked.answers()).toBe(true);
    } finally {
      inPlace = undefined;
    }
    await isRead();
    expect((await attacked.status()).role.problem).toBeNull();
    expect(attacked.pids).toEqual(pids);
  });
});

describe('on the VM', () => {
  it.each(['chmpx', 'k2hdkc'] as const)(
    "%s gets no secret of the agent's environment",
    async (name) => {
      const { vm, secrets } = attacked.actor;
      const pid = vm.program(name)?.pid;
      for (const file of ['environ', 'cmdline']) {
        const text = await readFile(`/proc/${pid}/${file}`, 'utf8');
        for (const secret of [CANARY, ...secrets]) expect(text).not.toContain(secret);
        expect(text).not.toMatch(/NOTIFY_SOCKET|OS_/);
      }
    },
  );

  it('the agent has no secret in its command line', async () => {
    const text = await readFile(`/proc/${attacked.actor.vm.agentPid}/cmdline`, 'utf8');
    for (const secret of attacked.actor.secrets) expect(text).not.toContain(secret);
  });

  it("nobody's process with the name and arguments of chmpx is left alone", async () => {
    const { vm } = attacked.actor;
    const words = ['-c', `exec -a chmpx python3 - -conf ${vm.iniFile}`];
    const nobody = { uid: 65_534, gid: 65_534 };
    const impostor = spawn('bash', words, { ...nobody, stdio: ['pipe', 'ignore', 'ignore'] });
    onTestFinished(async () => {
      const gone = once(impostor, 'exit');
      impostor.kill('SIGKILL');
      await gone;
    });
    await once(impostor, 'spawn');
    await until('it poses', async () =>
      (await readFile(`/proc/${impostor.pid}/cmdline`, 'utf8')).startsWith('chmpx\0'),
    );
    await vm.endAgent('SIGKILL');
    vm.kill('k2hdkc');
    vm.kill('chmpx');
    await vm.startAgent();
    await vm.untilServing();
    expect(vm.program('chmpx')?.pid).not.toBe(impostor.pid);
    expect(impostor.exitCode ?? impostor.signalCode).toBeNull();
  });
});
