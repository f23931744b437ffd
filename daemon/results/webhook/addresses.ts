import { BlockList, isIP, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** What is never posted to, in IPv4: this host, link-local with the metadata service, multicast, reserved. */
const FORBIDDEN_V4: readonly (readonly [address: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** The same in IPv6; EC2's own services (metadata, DNS, time) are in fd00:ec2::/32. */
const FORBIDDEN_V6: readonly (readonly [address: string, bits: number])[] = [
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['fd00:ec2::', 32],
];

const forbidden = new BlockList();
for (const [address, bits] of FORBIDDEN_V4) forbidden.addSubnet(address, bits, 'ipv4');
for (const [address, bits] of FORBIDDEN_V6) forbidden.addSubnet(address, bits, 'ipv6');

type OwnAddresses = ReadonlySet<string> | 'unknown';

/** Where an IPv6 address holds an IPv4 address: its first groups, and the byte that the IPv4 address begins at. */
const EMBEDDED: readonly { readonly prefix: readonly number[]; readonly at: readonly number[] }[] = [
  // IPv4-compatible, IPv4-mapped (RFC 4291) and IPv4-translated (RFC 2765).
  { prefix: [0, 0, 0, 0, 0, 0], at: [12, 13, 14, 15] },
  { prefix: [0, 0, 0, 0, 0, 0xffff], at: [12, 13, 14, 15] },
  { prefix: [0, 0, 0, 0, 0xffff, 0], at: [12, 13, 14, 15] },
  // NAT64 (RFC 6052), and its prefix for local use (RFC 8215) in both lengths.
  { prefix: [0x64, 0xff9b, 0, 0, 0, 0], at: [12, 13, 14, 15] },
  { prefix: [0x64, 0xff9b, 1], at: [12, 13, 14, 15] },
  { prefix: [0x64, 0xff9b, 1], at: [6, 7, 9, 10] },
  // 6to4 (RFC 3056) and the server of Teredo (RFC 4380).
  { prefix: [0x2002], at: [2, 3, 4, 5] },
  { prefix: [0x2001, 0], at: [4, 5, 6, 7] },
];
const TEREDO = [0x2001, 0];
/** ISATAP's interface identifiers (RFC 5214). */
const ISATAP: readonly number[] = [0x0000_5efe, 0x0200_5efe];

/**
 * Why transcripts are never posted to the address; undefined when they may be. Private addresses may: only listed hosts
 * are posted to. Looks into every known form of IPv4 within IPv6.
 * @param own addresses of this host; if they are unknown, no address may be posted to
 */
export function addressFault(address: string, own: OwnAddresses = ownAddresses()): string | undefined {
  const plain = withoutZone(address);
  const family = isIP(plain);
  if (family === 0) return 'is no IP address';
  if (forbidden.check(plain, family === 4 ? 'ipv4' : 'ipv6')) return 'is loopback, link-local, multicast or reserved';
  if (own === 'unknown') return 'may be of this host, whose addresses cannot be read: a sandbox must allow AF_NETLINK';
  if (own.has(canonical(plain))) return 'is an address of this host';
  if (family === 4) return undefined;
  const fault = embeddedIn(plain).find((inner) => addressFault(inner, own) !== undefined);
  return fault === undefined ? undefined : `contains ${fault}, which ${addressFault(fault, own)}`;
}

/** The addresses of this host's interfaces, in canonical form. */
export function ownAddresses(read = networkInterfaces): OwnAddresses {
  try {
    const all = Object.values(read()).flatMap((addresses) => addresses ?? []);
    return new Set(all.map(({ address }) => canonical(withoutZone(address))));
  } catch {
    return 'unknown';
  }
}

function embeddedIn(address: string): string[] {
  const bytes = bytesOf(address);
  const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2));
  const starts = (prefix: readonly number[]) => prefix.every((group, index) => groups[index] === group);
  const found = EMBEDDED.filter(({ prefix }) => starts(prefix)).map(({ at }) =>
    at.map((index) => bytes[index]).join('.'),
  );
  if (starts(TEREDO)) found.push([...bytes.subarray(12)].map((byte) => byte ^ 0xff).join('.'));
  if (ISATAP.includes(bytes.readUInt32BE(8))) found.push([...bytes.subarray(12)].join('.'));
  return found;
}

/** The 16 bytes of an IPv6 address. */
function bytesOf(address: string): Buffer {
  const [head = '', tail] = canonical(address).split('::');
  const groupsOf = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = tail === undefined ? [] : new Array<number>(8 - before.length - after.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...before, ...zeros, ...after].entries()) bytes.writeUInt16BE(group, index * 2);
  return bytes;
}

/** IPv6 as the URL standard writes it: hexadecimal throughout, without needless zeros. */
function canonical(address: string): string {
  if (isIPv4(address)) return address;
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}
