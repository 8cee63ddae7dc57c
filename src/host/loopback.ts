import { BlockList, isIP } from 'node:net';

/** The addresses that mean "this machine" on every machine; the unspecified ones lead there too. */
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addSubnet('0.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addAddress('::', 'ipv6');

/** Names of /etc/hosts for such an address, whatever domain follows (RFC 6761, 6.3; Debian, Red Hat). */
const NAMES = new Set(['localhost', 'localhost4', 'localhost6', 'ip6-localhost', 'ip6-loopback']);

/** Whether an IP address means another machine on every machine; IPv4 in IPv6 too. */
export function isLoopbackAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && LOOPBACK.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Whether a name or an address stands for the machine that asks, without asking anybody. */
export function isLoopbackName(name: string): boolean {
  const labels = name.toLowerCase().replace(/\.$/, '').split('.');
  const [first = '', last = ''] = [labels.at(0), labels.at(-1)];
  return isLoopbackAddress(name) || NAMES.has(first) || last === 'localhost';
}
