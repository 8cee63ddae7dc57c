// The notices of the packages that a bundle carries, as their licences ask.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** The files that hold a licence or a notice, as packages name them. */
const NOTICE = /^(licen[cs]e|copying|notice|copyright)([.-].*)?$/i;
const RULE = '-'.repeat(78);

/**
 * Text for THIRD_PARTY_LICENSES: each package with code in `output`, an output of esbuild's metafile, with
 * its version, its licence and what its licence files say.
 *
 * Throws when one has no such file, or names no licence: then it must not go into the bundle.
 */
export async function thirdPartyLicenses(root, output) {
  const folders = new Set(Object.entries(output.inputs).flatMap(packageOf));
  const notices = [];
  for (const folder of [...folders].sort()) notices.push(await noticeOf(path.join(root, folder)));
  const head = 'k2hdkc-agent.cjs carries code of the packages below, under these licences.\n';
  return [head, ...notices].join(`\n${RULE}\n\n`);
}

/** The folder of the package whose file this is; nothing for a file of our own, or one left out. */
function packageOf([file, { bytesInOutput }]) {
  const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? [];
  return folder === undefined || bytesInOutput === 0 ? [] : [folder];
}

async function noticeOf(folder) {
  const { name, version, license } = JSON.parse(
    await readFile(path.join(folder, 'package.json'), 'utf8'),
  );
  const files = (await readdir(folder)).filter((file) => NOTICE.test(file)).sort();
  if (typeof license !== 'string' || files.length === 0) {
    throw new Error(
      `${name} ${version} has no licence file, or names no licence: do not bundle it`,
    );
  }
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim()), ''].join('\n\n');
}
