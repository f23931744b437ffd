import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import type { Clock, Millis } from './clock.ts';

/** What the kernel knows about a TCP connection and Node does not expose. */
export interface TcpQueue {
  /** Bytes written to the kernel that the peer's TCP has not acknowledged. */
  readonly unackedBytes: number;
  /** Retransmissions of the oldest of them in a row. */
  readonly retransmits: number;
}

/** The two ends of a connection, as Node's sockets name them. */
export interface TcpEnds {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** proc(5): both exist per network namespace, so a worker thread sees the whole process' connections. */
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
/** The kernel walks all connections of the machine for a reading. */
const READ_EVERY_MS: Millis = 500;
/** proc(5): `sl: local remote st tx_queue:rx_queue tr:tm->when retrnsmt …`, numbers in hex. */
const ROW = /^\s*\d+: ([0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]+):[0-9A-F]+ \S+ ([0-9A-F]+)/;

/** Reads the TCP queues of a thread's connections: one reading serves all requests made before it begins. */
export class TcpQueues {
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  readonly #read: (path: string) => Promise<string>;
  readonly #waiting = new Map<string, ((queue: TcpQueue | undefined) => void)[]>();
  #lastReadAtMs: Millis = -Infinity;

  /** @param read returns a file's text */
  constructor(
    clock: Pick<Clock, 'now' | 'after'>,
    read: (path: string) => Promise<string> = (path) => readFile(path, 'latin1'),
  ) {
    this.#clock = clock;
    this.#read = read;
  }

  /**
   * The state of a connection at a moment after this call; undefined if the kernel does not say (no procfs, a closed
   * connection). Never rejects.
   */
  of(ends: TcpEnds): Promise<TcpQueue | undefined> {
    const key = rowKey(ends);
    if (key === undefined) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<TcpQueue | undefined>();
    const isFirst = this.#waiting.size === 0;
    const waiting = this.#waiting.get(key);
    if (waiting) waiting.push(resolve);
    else this.#waiting.set(key, [resolve]);
    if (isFirst) {
      const delayMs = Math.max(0, this.#lastReadAtMs + READ_EVERY_MS - this.#clock.now());
      this.#clock.after(delayMs, () => void this.#answer());
    }
    return promise;
  }

  async #answer(): Promise<void> {
    this.#lastReadAtMs = this.#clock.now();
    const waiting = new Map(this.#waiting);
    this.#waiting.clear();
    // One family may be switched off.
    const texts = await Promise.all(TABLES.map((path) => this.#read(path).catch(() => '')));
    for (const text of texts) {
      for (const line of text.split('\n')) {
        const [, key = '', unacked = '', retransmits = ''] = ROW.exec(line) ?? [];
        const queue = { unackedBytes: Number.parseInt(unacked, 16), retransmits: Number.parseInt(retransmits, 16) };
        for (const resolve of waiting.get(key) ?? []) resolve(queue);
        waiting.delete(key);
      }
    }
    for (const resolve of [...waiting.values()].flat()) resolve(undefined);
  }
}

/** How a connection's row in the tables begins. */
function rowKey({ localAddress, localPort, remoteAddress, remotePort }: TcpEnds): string | undefined {
  if (!localAddress || !remoteAddress || localPort === undefined || remotePort === undefined) return undefined;
  return `${endOf(localAddress, localPort)} ${endOf(remoteAddress, remotePort)}`;
}

/** The kernel prints an address as words of the host's byte order; all machines that Node supports here are little-endian. */
function endOf(address: string, port: number): string {
  const bytes = isIPv6(address) ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  return `${bytes.swap32().toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}

function ipv6Bytes(address: string): Buffer {
  const [plain = ''] = address.split('%');
  const groups = plain.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...quad: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = quad.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = groups.split('::');
  const before = head.split(':').filter(Boolean);
  const after = tail?.split(':').filter(Boolean) ?? [];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
