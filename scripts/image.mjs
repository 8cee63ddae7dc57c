// Builds the guest image by Packer: `npm run image`.
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { packerEnvironment, packerTemplate } from '../packaging/packer.mjs';

const HELP = `npm run image -- [options]

Builds the packages and, by Packer and qemu, the guest image dist/image/k2hdkc-guest.qcow2, with a list of its
packages beside it. Needs root, and packer, qemu-system-x86, qemu-utils, genisoimage and openssh-client; without
--base also mmdebstrap and extlinux.
  --base FILE       a Debian 12 cloud image (default: one is made of this machine's package sources)
  --debs FOLDER     further .debs to install; the agent's are not built when they are there, too
  --out FOLDER      where the image goes (default dist/image); what is there before is deleted
  --source LINE     the line of sources.list where chmpx, k2hdkc and k2hash are
  --key FILE        the key of that source
  --packages LIST   names of the packages, and versions (default "chmpx k2hdkc k2hash")
  --kvm             with KVM; by default without, as that works everywhere
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    base: { type: 'string' },
    debs: { type: 'string' },
    source: { type: 'string', default: '' },
    key: { type: 'string', default: '/dev/null' },
    out: { type: 'string', default: path.join(path.dirname(import.meta.dirname), 'dist/image') },
    packages: { type: 'string', default: 'chmpx k2hdkc k2hash' },
    kvm: { type: 'boolean', default: false },
  },
});
const root = path.dirname(import.meta.dirname);
const out = path.resolve(values.out);
const TOOLS = ['packer', 'qemu-system-x86_64', 'qemu-img', 'genisoimage', 'ssh-keygen'];
// Without KVM: a processor that Debian's kernel boots on, and no time for its precautions.
const TCG = [
  ['-cpu', 'max,la57=off'],
  ['-smp', '2'],
];

const say = (line) => void process.stdout.write(`image: ${line}\n`);
const run = (command, words, options = {}) =>
  execFileSync(command, words, { cwd: root, stdio: 'inherit', ...options });

async function main() {
  checkTools();
  const work = await mkdtemp(path.join(tmpdir(), 'k2hdkc-image-'));
  try {
    const base = values.base ? path.resolve(values.base) : await ownBase();
    const debs = path.join(work, 'debs');
    await mkdir(debs);
    if (values.debs) await copyDebs(path.resolve(values.debs), debs);
    if (!(await readdir(debs)).some((name) => /^k2hdkc-guest-agent_.*_all\.deb$/.test(name))) {
      const own = path.join(work, 'own');
      run(process.execPath, ['scripts/package.mjs', '--architectures', 'amd64', '--out', own]);
      await copyDebs(own, debs);
    }
    run('packer/seed', [path.join(work, 'seed')]);
    const template = await packerTemplate(work);
    await rm(out, { recursive: true, force: true });
    const variables = {
      base_image: base,
      debs,
      packages: values.packages,
      package_source: values.source,
      package_key: path.resolve(values.key),
      accelerator: values.kvm ? 'kvm' : 'tcg',
      ...(values.kvm ? {} : { qemu_args: JSON.stringify(TCG) }),
      seed: path.join(work, 'seed'),
      ssh_private_key_file: path.join(work, 'seed/key'),
      output_directory: out,
    };
    const words = Object.entries(variables).flatMap(([key, value]) => ['-var', `${key}=${value}`]);
    run('packer', ['build', '-only=qemu.guest', ...words, template], {
      env: { ...packerEnvironment, PACKER_CACHE_DIR: path.join(work, 'cache') },
    });
    report();
  } finally {
    await rm(work, { recursive: true });
  }
}

function checkTools() {
  if (process.getuid() !== 0) throw new Error('this needs root');
  const folders = (process.env.PATH ?? '').split(':');
  const missing = TOOLS.filter((tool) => !folders.some((one) => existsSync(path.join(one, tool))));
  if (missing.length > 0) {
    throw new Error(
      `${missing.join(', ')} missing: apt-get install packer qemu-system-x86 qemu-utils genisoimage openssh-client`,
    );
  }
}

/** A base image, made once. */
async function ownBase() {
  const folder = path.join(root, 'node_modules/.cache/image');
  const file = path.join(folder, 'base.qcow2');
  if (existsSync(file)) return file;
  await mkdir(folder, { recursive: true });
  run('packer/base-image', [file]);
  return file;
}

async function copyDebs(from, to) {
  const names = (await readdir(from)).filter((name) => name.endsWith('.deb'));
  for (const name of names) await cp(path.join(from, name), path.join(to, name));
}

function report() {
  const image = path.join(out, 'k2hdkc-guest.qcow2');
  const { 'actual-size': bytes } = JSON.parse(
    run('qemu-img', ['info', '--output=json', image], { stdio: 'pipe', encoding: 'utf8' }),
  );
  const count = readFileSync(path.join(out, 'packages.txt'), 'utf8').trim().split('\n').length;
  const name = path.relative(process.cwd(), image);
  say(
    `${name}: ${Math.round(bytes / 1e6)} MB, ${count} packages, listed in packages.txt beside it`,
  );
}

if (values.help) process.stdout.write(HELP);
else {
  await main().catch((error) => {
    process.stderr.write(`image: ${error.message}\n`);
    process.exitCode = 1;
  });
}
