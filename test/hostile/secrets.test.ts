import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { childEnvironment } from '../../src/base/child-environment.ts';
import { Secrets } from '../../src/base/secrets.ts';
import { parseAgentConfig } from '../../src/config/load.ts';
import { projectRoot } from '../helpers/project-root.ts';

const CANARY = 'canary-5f0c81d2';

describe('agent.yaml with a secret in a wrong place', () => {
  it.each([
    ['a URL of another scheme', `slave:\n  registration_url: ftp://h/${CANARY}\n`],
    ['a URL with a space', `slave:\n  registration_url: "https://h/${CANARY} x"\n`],
    ['a list of URLs', `slave:\n  registration_url: [https://h/${CANARY}]\n`],
    ['a URL with keys below it', `slave:\n  registration_url:\n    url: https://h/${CANARY}\n`],
    ['an API without its scheme', `slave:\n  api_uri: user:${CANARY}@k2hr3\n`],
    ['a list of tokens', `slave:\n  role_token: [${CANARY}]\n`],
    ['a map of tokens', `slave:\n  role_token: { token: ${CANARY} }\n`],
    ['text behind the token', `slave:\n  role_token: "a" ${CANARY}\n`],
    ['a quote that does not end', `slave:\n  role_token: "${CANARY}\n`],
    ['a tab before it', `slave:\n\trole_token: ${CANARY}\n`],
    ['a brace that does not end', `slave: { role_token: ${CANARY}\n`],
    ['a mark of YAML before it', `slave:\n  role_token: @${CANARY}\n`],
    ['an alias', `slave:\n  role_token: *${CANARY}\n`],
    ['no space behind the colon', `slave:\n  role_token:${CANARY}\n`],
    ['an escape that is none', `slave:\n  role_token: "\\q${CANARY}"\n`],
    ['the same key twice', `slave:\n  role_token: ${CANARY}\n  role_token: ${CANARY}\n`],
    ['words behind a block mark', `slave:\n  role_token: |${CANARY}\n    x\n`],
    ['a line that is no key', `slave:\n  role_token: x\n  ${CANARY}\n`],
    ['a directive', `%${CANARY}\n---\nslave:\n  role_token: [x]\n`],
  ])('%s: the line says where, and not what', (_, text) => {
    let message = '';
    try {
      parseAgentConfig(text, 'agent.yaml');
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/^agent\.yaml/);
    expect(message).not.toContain(CANARY);
  });

  it('shows what is no secret', () => {
    expect(() => parseAgentConfig('cluster:\n  server_port: "x"\n', 'agent.yaml')).toThrow('= "x"');
  });
});

describe('the environment of a child', () => {
  it.each([
    'OS_DEFAULT__TRANSPORT_URL',
    'OS_DEFAULT__INSTANCE_RPC_ENCR_KEY',
    'OS_PASSWORD',
    'NOTIFY_SOCKET',
    'WATCHDOG_USEC',
    'LISTEN_FDS',
    'CREDENTIALS_DIRECTORY',
    'NODE_OPTIONS',
    'LD_PRELOAD',
    'K2HR3_TOKEN',
    'http_proxy',
  ])('has no %s', (name) => {
    expect(childEnvironment({}, { [name]: CANARY, PATH: '/bin' })).toEqual({ PATH: '/bin' });
  });

  it.each(['PATH', 'HOME', 'LC_ALL', 'TZ', 'CHMDBGMODE', 'FLCKDIRPATH'])('has %s', (name) => {
    expect(childEnvironment({}, { [name]: 'x' })).toEqual({ [name]: 'x' });
  });

  it('has what is set for it, whatever its name', () => {
    expect(childEnvironment({ NOTIFY_SOCKET: '/run/x' }, {})).toEqual({ NOTIFY_SOCKET: '/run/x' });
  });

  it('is made in one place, for all children', async () => {
    const source = path.join(projectRoot, 'src');
    const files = (await readdir(source, { recursive: true })).filter((file) =>
      file.endsWith('.ts'),
    );
    const starters: string[] = [];
    for (const file of files) {
      const text = await readFile(path.join(source, file), 'utf8');
      if (!/node:child_process'|import\('execa'\)/.test(text)) continue;
      starters.push(file);
      const starts = text.match(/\b(?:spawn|execa|execFile|execute)\)?\(\s*['"\w]/g)?.length ?? 0;
      const environments = text.match(/childEnvironment\(/g)?.length ?? 0;
      expect(environments, file).toBeGreaterThanOrEqual(Math.max(1, starts));
      if (text.includes("import('execa')")) expect(text, file).toContain('extendEnv: false');
    }
    expect(starters.length).toBeGreaterThan(5);
  });
});

describe('tokens that come and go', () => {
  it('forgets the oldest of many, and searches a line for the others only', () => {
    const secrets = new Secrets();
    for (let number = 0; number < 5_000; number++) secrets.add('job', `token-${number}-`);
    expect(secrets.scrub('token-0- token-4999-')).toBe('token-0- [secret]');
  });

  it('remembers one that is used again and again', () => {
    const secrets = new Secrets();
    for (let number = 0; number < 5_000; number++)
      secrets.add('job', 'often-used', `token-${number}-`);
    expect(secrets.scrub('often-used')).toBe('[secret]');
  });

  it.each(['configuration', 'role'] as const)('never push out those of the %s', (kind) => {
    const secrets = new Secrets();
    secrets.add(kind, 'in use all the time');
    for (let number = 0; number < 5_000; number++) secrets.add('job', `token-${number}-`);
    expect(secrets.scrub('in use all the time')).toBe('[secret]');
  });
});
