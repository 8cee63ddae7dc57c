import { readFile } from 'node:fs/promises';

const FILES = {
  4: '/proc/sys/net/ipv4/ip_forward',
  6: '/proc/sys/net/ipv6/conf/all/forwarding',
};

/** Whether the kernel forwards packets of a family between its ports; it does not when nobody can say. */
export async function forwards(family: 4 | 6, files = FILES): Promise<boolean> {
  const text = await readFile(files[family], 'utf8').catch(() => '0');
  return text.trim() !== '0';
}
