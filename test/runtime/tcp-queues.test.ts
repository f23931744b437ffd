import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test from 'ava';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { TcpQueues } from '../../daemon/runtime/tcp-queues.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const TCP = `${HEADER}   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0A01A8C0:C350 0800640A:01BB 01 00001F40:00000000 01:0000012C 00000004     0        0 2
`;
const TCP6 = `${HEADER}   0: B80D0120000000000000000001000000:C351 B80D0120000000000000000002000000:01BB 01 00000000:00000010 00:00000000 00000000     0        0 3
   1: 0000000000000000FFFF00000A01A8C0:C352 0000000000000000FFFF00000800640A:01BB 01 00000001:00000000 00:00000000 00000000     0        0 4
`;
const V4 = { localAddress: '192.168.1.10', localPort: 50_000, remoteAddress: '10.100.0.8', remotePort: 443 };
const V6 = { localAddress: '2001:db8::1', localPort: 50_001, remoteAddress: '2001:db8::2', remotePort: 443 };
const MAPPED = {
  localAddress: '::ffff:192.168.1.10',
  localPort: 50_002,
  remoteAddress: '::ffff:10.100.0.8',
  remotePort: 443,
};

/** Queues in virtual time, and when they were read. */
function queues(tables: Readonly<Record<string, string>> = { tcp: TCP, tcp6: TCP6 }) {
  const clock = new VirtualClock();
  const readsAtMs: number[] = [];
  const read = async (path: string) => {
    readsAtMs.push(clock.now());
    const text = tables[path.split('/').at(-1) ?? ''];
    if (text === undefined) throw new Error('EACCES');
    return text;
  };
  return { clock, readsAtMs, queues: new TcpQueues(clock, read) };
}

test('a connection is found by both its ends, over IPv4 and IPv6', async (t) => {
  const { clock, queues: tcp } = queues();
  const found = Promise.all([V4, V6, MAPPED, { ...V4, localPort: 50_009 }].map((ends) => tcp.of(ends)));
  await clock.advance(1000);
  t.deepEqual(await found, [
    { unackedBytes: 8000, retransmits: 4 },
    { unackedBytes: 0, retransmits: 0 },
    { unackedBytes: 1, retransmits: 0 },
    undefined,
  ]);
});

test('requests share a reading that begins after them, at most every 500 ms', async (t) => {
  const { clock, readsAtMs, queues: tcp } = queues();
  const startMs = clock.now();
  const first = Promise.all([tcp.of(V4), tcp.of(V6)]);
  await clock.advance(100);
  await first;
  const second = Promise.all([tcp.of(V4), tcp.of(V4)]);
  await clock.advance(1000);
  await second;
  // Two tables each.
  t.deepEqual(
    readsAtMs.map((ms) => ms - startMs),
    [0, 0, 500, 500],
  );
});

test('without procfs, or without an address, nothing is known', async (t) => {
  const { clock, queues: tcp } = queues({});
  const found = Promise.all([tcp.of(V4), tcp.of({})]);
  await clock.advance(1000);
  t.deepEqual(await found, [undefined, undefined]);
});

test('the kernel reports what a peer has acknowledged', async (t) => {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer({ pauseOnConnect: true }, accepted.resolve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const peer = await accepted.promise;
  t.teardown(() => {
    socket.destroy();
    peer.destroy();
    server.close();
  });
  const tcp = new TcpQueues(systemClock);
  socket.write('acknowledged by TCP, although not read');
  t.deepEqual(await tcp.of(socket), { unackedBytes: 0, retransmits: 0 });
  // More than the buffers of both sides hold.
  socket.write(Buffer.alloc(32 * 1024 * 1024));
  t.true(((await tcp.of(socket))?.unackedBytes ?? 0) > 0);
});
