import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packerEnvironment, packerTemplate } from '../../packaging/packer.mjs';
import { projectRoot } from '../helpers/project-root.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const folder = path.join(projectRoot, 'packer');

/** Runs Packer, which asks nobody for a newer version; rejects with what it says. */
async function packer(...words: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('packer', words, { env: packerEnvironment });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`packer ${words[0] ?? ''}: ${stdout}${stderr}`, { cause: error });
  }
}

let template: string;
let work: string;
/** Variables that name files which are there. */
let variables: string[];

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'k2hdkc-packer-'));
  template = await packerTemplate(work);
  const debs = path.join(work, 'debs');
  const base = path.join(work, 'base.qcow2');
  await mkdir(debs);
  await writeFile(base, '');
  await promisify(execFile)(path.join(folder, 'seed'), [path.join(work, 'seed')]);
  const values = {
    base_image: base,
    debs,
    seed: path.join(work, 'seed'),
    ssh_private_key_file: path.join(work, 'seed/key'),
    output_directory: path.join(work, 'image'),
  };
  variables = Object.entries(values).flatMap(([key, value]) => ['-var', `${key}=${value}`]);
});

afterAll(() => rm(work, { recursive: true }));

it('the template is formatted as Packer does it', async () => {
  expect(await packer('fmt', '-check', '-diff', folder)).toBe('');
});

it('the template for qemu is valid, and a mistake in it is found', async () => {
  await packer('validate', '-only=qemu.guest', ...variables, template);
  const wrong = [...variables, '-var', 'accelerator=warp'];
  await expect(packer('validate', '-only=qemu.guest', ...wrong, template)).rejects.toThrow(
    'accelerator',
  );
});

it('the syntax of the template for OpenStack is valid', async () => {
  await packer('validate', '-syntax-only', '-only=openstack.guest', ...variables, template);
});

it('each variable has a description, and is used', async () => {
  const text = await readFile(path.join(folder, 'variables.pkr.hcl'), 'utf8');
  const build = await readFile(path.join(folder, 'k2hdkc-guest.pkr.hcl'), 'utf8');
  const [, ...blocks] = text.split(/^variable "/m);
  expect(blocks).not.toEqual([]);
  for (const block of blocks) {
    const [name = ''] = block.split('"');
    expect(block, name).toContain('description');
    expect(build, name).toContain(`var.${name}`);
  }
});

it('the key of the seed is for its owner alone, and another time there is another', async () => {
  const seed = await temporaryDirectory();
  const make = async (): Promise<string> => {
    await promisify(execFile)(path.join(folder, 'seed'), [seed]);
    const user = await readFile(path.join(seed, 'user-data'), 'utf8');
    const key = (await readFile(path.join(seed, 'key.pub'), 'utf8')).trim();
    expect(user).toContain(`ssh_authorized_keys: ["${key}"]`);
    expect((await readdir(seed)).sort()).toEqual(['key', 'key.pub', 'meta-data', 'user-data']);
    return key;
  };
  expect(await make()).not.toBe(await make());
});
