import { readFileSync } from 'node:fs';

/** Reads one of the machine's DMI values; undefined when that is not possible. */
export type ReadDmi = (name: string) => string | undefined;

/** The values that Linux shows in sysfs; product_uuid only to root. */
export const readDmi: ReadDmi = (name) => {
  try {
    return readFileSync(`/sys/devices/virtual/dmi/id/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
};

/**
 * What the machine is instead of an EC2 instance; undefined when it is one or nothing is sure. Nitro instances have the
 * vendor `Amazon EC2` and their instance id as asset tag; Xen instances have the vendor `Xen`, as other hosts' do, and a
 * UUID that begins with `ec2` (EC2 User Guide, "Detect whether a host is an EC2 instance").
 */
export function otherMachine(read: ReadDmi): string | undefined {
  const vendor = read('sys_vendor');
  if (!vendor || /amazon/i.test(vendor)) return undefined;
  if (/^i-[0-9a-f]+$/.test(read('board_asset_tag') ?? '')) return undefined;
  const uuid = read('product_uuid');
  if (uuid === undefined ? /xen/i.test(vendor) : isOfEc2(uuid)) return undefined;
  return `a machine by ${vendor}`;
}

/** SMBIOS may store the first three groups little-endian: `45E12AEC-...` is `ec2ae145-...`. */
function isOfEc2(uuid: string): boolean {
  return /^ec2|^[0-9a-f]{4}2[0-9a-f]ec-/i.test(uuid);
}
