/** Where something is in the network of a lab. Each lab has a network of its own, so these repeat. */
export interface NetworkPlace {
  /** IPv4. */
  address: string;
  mac: string;
}

/** The hub: what the VMs know as the world outside. */
export const HUB: NetworkPlace = place(1);

/** The first VM is 10.77.0.11, so that no number of a VM is the hub's. */
const FIRST_VM = 11;

/** How many VMs a lab can have. */
export const MOST_VMS = 200;

/** A VM, counted from 1, and the name of its cable's end at the hub. */
export function vmPlace(number: number): NetworkPlace & { port: string } {
  return { ...place(FIRST_VM - 1 + number), port: `vm${number}` };
}

/** As `ip address add` wants it. */
export function cidr({ address }: NetworkPlace): string {
  return `${address}/24`;
}

function place(host: number): NetworkPlace {
  const last = host.toString(16).padStart(2, '0');
  return { address: `10.77.0.${host}`, mac: `02:77:00:00:00:${last}` };
}
