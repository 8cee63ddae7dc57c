// Holds the dependencies in packaging/runtime/debian/control to what the program asks for: dpkg-shlibdeps
// cannot, for an architecture whose libraries are not on this machine.
import { execFileSync } from 'node:child_process';

/** Which package of Debian has a library. */
const PACKAGES = {
  'libatomic.so.1': 'libatomic1',
  'libgcc_s.so.1': 'libgcc-s1',
  'libstdc++.so.6': 'libstdc++6',
};
/** What all the others belong to; libc6 is as old as the newest symbol that is asked for. */
const LIBC = /^(?:lib(?:c|m|dl|pthread)\.so\.\d|ld-linux-[a-z0-9-]+\.so\.\d)$/;

/** Throws with the dependency that `control` lacks, or has in vain, for the ELF file `program`. */
export function checkDependencies(program, control) {
  const [, list = ''] = /^Depends: (.*)$/m.exec(control) ?? [];
  const named = list.split(', ').filter((one) => !one.startsWith('$'));
  const needed = neededPackages(readelf('-d', program), readelf('-V', program));
  if (named.sort().join(', ') !== needed.sort().join(', ')) {
    throw new Error(
      `packaging/runtime/debian/control depends on ${named.join(', ')}; node needs ${needed.join(', ')}`,
    );
  }
}

function neededPackages(dynamic, symbols) {
  const libraries = [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name);
  const strange = libraries.find((name) => !PACKAGES[name] && !LIBC.test(name));
  if (strange) throw new Error(`node needs ${strange}: name its package in needed-libraries.mjs`);
  const minors = [...symbols.matchAll(/\bGLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  return [
    `libc6 (>= 2.${Math.max(...minors)})`,
    ...libraries.flatMap((name) => PACKAGES[name] ?? []),
  ];
}

function readelf(what, program) {
  return execFileSync('readelf', ['--wide', what, program], { encoding: 'utf8' });
}
