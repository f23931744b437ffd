import type { Socket } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import * as ws from 'ws';
import { FrameWriter } from '../../daemon/deepgram/frames.ts';

/** `ws` exports it; its types do not. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => NodeJS.WritableStream };

/** What a server reads of what was written: messages and pings, in order. */
class Server {
  readonly heard: (string | Buffer)[] = [];
  readonly bytes: Buffer[] = [];
  readonly #taken: (() => void)[] = [];
  readonly #receiver = new Receiver({ isServer: true, binaryType: 'nodebuffer' });
  /** Stands in for the connection: what is written is read only when it is `taken`. */
  readonly socket = {
    destroyed: false,
    write: (written: Buffer, taken: () => void) => {
      this.#taken.push(() => {
        this.bytes.push(Buffer.from(written));
        this.#receiver.write(Buffer.from(written));
        taken();
      });
    },
  } as unknown as Socket;

  constructor() {
    this.#receiver.on('message', (data: Buffer) => this.heard.push(data));
    this.#receiver.on('ping', (data: Buffer) => this.heard.push(data.toString()));
  }

  get writes(): number {
    return this.#taken.length;
  }

  take(): void {
    for (const taken of this.#taken.splice(0)) taken();
  }
}

const pieces = fc.array(
  fc.oneof(
    fc.record({ bytes: fc.nat(5000), at: fc.nat(7) }),
    fc.constantFrom('ping' as const, 'taken' as const, 'end of the go' as const),
  ),
  { maxLength: 30 },
);

for (const isEncrypted of [false, true]) {
  test(`a server reads what was sent, in order, ${isEncrypted ? 'inside TLS' : 'in plain text'}, however it lies in memory and whatever waits`, async (t) => {
    await fc.assert(
      fc.asyncProperty(pieces, async (all) => {
        const server = new Server();
        const writer = new FrameWriter(server.socket, isEncrypted, () => {});
        const sent: (string | Buffer)[] = [];
        for (const [mark, piece] of all.entries()) {
          if (piece === 'ping') {
            writer.ping(String(mark));
            sent.push(String(mark));
          } else if (piece === 'taken') {
            server.take();
          } else if (piece === 'end of the go') {
            await new Promise(process.nextTick);
          } else {
            const pcm = Buffer.alloc(piece.bytes + piece.at, mark + 1).map((byte, i) => byte ^ i);
            writer.audio(pcm.subarray(piece.at));
            sent.push(Buffer.from(pcm.subarray(piece.at)));
          }
        }
        writer.flush();
        server.take();
        t.deepEqual(server.heard, sent);
      }),
      { numRuns: 100 },
    );
  });
}

test('all that is sent in one go is one write, and nothing waits after it', async (t) => {
  const server = new Server();
  const writer = new FrameWriter(server.socket, false, () => {});
  for (let message = 0; message < 3; message++) writer.audio(Buffer.alloc(3200, message));
  writer.ping('with them');
  t.is(server.writes, 0);
  t.true(writer.pendingBytes > 3 * 3200);
  await new Promise(process.nextTick);
  t.is(server.writes, 1);
  t.is(writer.pendingBytes, 0);
});

test('in plain text audio is masked, each message by a key of its own; inside TLS it is not', (t) => {
  const written = (isEncrypted: boolean) => {
    const server = new Server();
    const writer = new FrameWriter(server.socket, isEncrypted, () => {});
    writer.audio(Buffer.alloc(400));
    writer.audio(Buffer.alloc(400));
    writer.flush();
    server.take();
    const bytes = Buffer.concat(server.bytes);
    return [bytes.subarray(4, 8), bytes.subarray(412, 416)].map((key) => key.toString('hex'));
  };
  const [one, other] = written(false);
  t.not(one, other);
  t.deepEqual(written(true), ['00000000', '00000000']);
});

test('who waits is told when the network has taken what was written; a dead connection gets nothing', async (t) => {
  const server = new Server();
  let taken = 0;
  const writer = new FrameWriter(server.socket, false, () => taken++);
  writer.ping('1');
  await new Promise(process.nextTick);
  t.is(taken, 0);
  server.take();
  t.is(taken, 1);
  Object.assign(server.socket, { destroyed: true });
  writer.ping('2');
  await new Promise(process.nextTick);
  t.is(server.writes, 0);
  t.is(writer.pendingBytes, 0);
});
