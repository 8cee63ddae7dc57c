import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { withoutTrailing } from '../base/text.ts';

/**
 * The name under which this VM registers, which is the NAME that every node of the ring must
 * resolve: the host name plus the last search domain (or the domain) of resolv.conf, as the
 * registration script of K2HR3 builds it (docs/contracts/k2hr3.md, 2.2).
 */
export async function nodeName(
  host = hostname(),
  resolvConf = '/etc/resolv.conf',
): Promise<string> {
  const name = withoutTrailing(host, '.');
  if (name.includes('.')) return name;
  const domain = searchDomain(await readFile(resolvConf, 'utf8').catch(() => ''));
  return domain === undefined ? name : `${name}.${domain}`;
}

function searchDomain(resolvConf: string): string | undefined {
  const words = (key: string): string[] =>
    resolvConf
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([first]) => first === key)
      .flatMap(([, ...rest]) => rest);
  const domain = words('search').at(-1) ?? words('domain').at(-1);
  return domain?.split('.').filter(Boolean).join('.') || undefined;
}
