import { BlockList, isIP } from 'node:net';

/** Loopback and link-local addresses: the metadata service of EC2, ECS and EKS must see the instance itself. */
const NEVER_PROXIED = blockListOf([
  ['127.0.0.0', 8],
  ['::1', 128],
  ['169.254.0.0', 16],
  ['fe80::', 10],
  // Instance metadata, time and Pod Identity of EC2 over IPv6.
  ['fd00:ec2::', 32],
]);

/** Entries are hosts, so a URL's brackets and a trailing dot mean the same host. */
const BRACKETS_OR_DOT = /^\[|\]$|\.$/g;
const ENTRY_WITH_PORT = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/;
const CIDR = /^([^/]+)\/(\d{1,3})$/;
const RANGE = /^([\d.]+)\s*-\s*([\d.]+)$/;

/** Matches a host, lower case and without brackets, and a port. */
type Rule = (host: string, port: number) => boolean;

/**
 * The hosts that are connected to without the proxy, as NO_PROXY lists them, separated by commas: as Node's agents read it
 * (`*`, a host, `.suffix`, `*.suffix`, `host:port`, a range of IPv4 addresses `a-b`), and CIDR blocks. Loopback and
 * link-local addresses are never proxied.
 */
export class NoProxy {
  readonly #rules: readonly Rule[];

  /** Throws RangeError for a list with an entry that means nothing. */
  constructor(list: string) {
    this.#rules = list
      .split(',')
      .map((entry) => entry.trim().toLowerCase())
      .filter((entry) => entry !== '')
      .map(ruleOf);
  }

  covers(hostname: string, port: number): boolean {
    const host = hostname.toLowerCase().replace(BRACKETS_OR_DOT, '');
    return isNeverProxied(host) || this.#rules.some((matches) => matches(host, port));
  }
}

function isNeverProxied(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === 'localhost' || host.endsWith('.localhost');
  return NEVER_PROXIED.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function ruleOf(entry: string): Rule {
  if (entry === '*') return () => true;
  const [, bracketed, name, port] = ENTRY_WITH_PORT.exec(entry) ?? [];
  const host = bracketed ?? name;
  if (host !== undefined) {
    const matches = hostRule(host);
    return (given, givenPort) => givenPort === Number(port) && matches(given, givenPort);
  }
  return addressRule(entry) ?? hostRule(entry);
}

/** A CIDR block or a range of addresses; undefined for other entries. Throws RangeError for one that is out of bounds. */
function addressRule(entry: string): Rule | undefined {
  const [, network = '', bits] = CIDR.exec(entry) ?? [];
  const [, first, last = ''] = RANGE.exec(entry) ?? [];
  try {
    if (bits !== undefined) return within(blockListOf([[network, Number(bits)]]));
    if (first === undefined) return undefined;
    const range = new BlockList();
    range.addRange(first, last, 'ipv4');
    return within(range);
  } catch {
    throw new RangeError(`is not a list of hosts and addresses: ${entry}`);
  }
}

function within(list: BlockList): Rule {
  return (host) => {
    const family = isIP(host);
    return family !== 0 && list.check(host, family === 6 ? 'ipv6' : 'ipv4');
  };
}

function hostRule(entry: string): Rule {
  const host = entry.replace(BRACKETS_OR_DOT, '');
  if (!/^[\w.*:-]+$/.test(host)) throw new RangeError(`is not a list of hosts and addresses: ${entry}`);
  // `*.example.com` leaves out example.com itself; `.example.com` does not.
  if (host.startsWith('*.')) return (given) => given.endsWith(host.slice(1));
  if (host.startsWith('.')) return (given) => given === host.slice(1) || given.endsWith(host);
  return (given) => given === host;
}

function blockListOf(networks: readonly (readonly [address: string, bits: number])[]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of networks) list.addSubnet(address, bits, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return list;
}
