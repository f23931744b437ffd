import type { Socket } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import * as ws from 'ws';
import { FrameWriter } from '../../daemon/deepgram/frames.ts';
import { pcmOf } from '../support/audio-runs.ts';

/** `ws` exports it; its types do not. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => NodeJS.WritableStream };

/** Reads the frames that were written: messages and pings, in order. */
class Server {
  readonly received: (string | Buffer)[] = [];
  readonly bytes: Buffer[] = [];
  readonly #taken: (() => void)[] = [];
  readonly #receiver = new Receiver({ isServer: true, binaryType: 'nodebuffer' });
  /** A connection whose writes stay pending until `take`. */
  readonly socket = {
    destroyed: false,
    writableLength: 0,
    write: (written: Buffer, taken: () => void) => {
      this.socket.writableLength += written.length;
      this.#taken.push(() => {
        this.socket.writableLength -= written.length;
        this.bytes.push(Buffer.from(written));
        this.#receiver.write(Buffer.from(written));
        taken();
      });
    },
  };

  constructor() {
    this.#receiver.on('message', (data: Buffer) => this.received.push(data));
    this.#receiver.on('ping', (data: Buffer) => this.received.push(data.toString()));
  }

  writer(isEncrypted: boolean, onTaken: () => void): FrameWriter {
    return new FrameWriter(this.socket as unknown as Socket, isEncrypted, onTaken);
  }

  get writes(): number {
    return this.#taken.length;
  }

  take(): void {
    for (const taken of this.#taken.splice(0)) taken();
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ frames: fc.nat(1300), at: fc.nat(7) }),
    fc.constantFrom('ping' as const, 'taken' as const, 'end of turn' as const),
  ),
  { maxLength: 30 },
);

for (const isEncrypted of [false, true]) {
  test(`a server reads what was sent, in order, ${isEncrypted ? 'inside TLS' : 'in plain text'}, whatever its alignment and whatever is pending`, async (t) => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const server = new Server();
        const writer = server.writer(isEncrypted, () => {});
        const sent: (string | Buffer)[] = [];
        for (const [mark, step] of all.entries()) {
          if (step === 'ping') {
            writer.ping(String(mark));
            sent.push(String(mark));
          } else if (step === 'taken') {
            server.take();
          } else if (step === 'end of turn') {
            await new Promise(process.nextTick);
          } else {
            const frames = new Int32Array(step.at + step.frames).map((_, i) => (mark + 1) * i).subarray(step.at);
            writer.audio(frames);
            sent.push(Buffer.from(pcmOf(frames)));
          }
        }
        writer.flush();
        server.take();
        t.deepEqual(server.received, sent);
      }),
      { numRuns: 100 },
    );
  });
}

test('everything sent in one turn is one write, and buffered until the kernel has taken it', async (t) => {
  const server = new Server();
  const writer = server.writer(false, () => {});
  for (let message = 0; message < 3; message++) writer.audio(new Int32Array(800).fill(message));
  writer.ping('last');
  t.is(server.writes, 0);
  const { bufferedBytes } = writer;
  t.true(bufferedBytes > 3 * 3200);
  await new Promise(process.nextTick);
  t.is(server.writes, 1);
  t.is(writer.bufferedBytes, bufferedBytes);
  server.take();
  t.is(writer.bufferedBytes, 0);
});

test('in plain text each message is masked with its own key; inside TLS with zeros', (t) => {
  const written = (isEncrypted: boolean) => {
    const server = new Server();
    const writer = server.writer(isEncrypted, () => {});
    writer.audio(new Int32Array(100));
    writer.audio(new Int32Array(100));
    writer.flush();
    server.take();
    const bytes = Buffer.concat(server.bytes);
    return [bytes.subarray(4, 8), bytes.subarray(412, 416)].map((key) => key.toString('hex'));
  };
  const [one, other] = written(false);
  t.not(one, other);
  t.deepEqual(written(true), ['00000000', '00000000']);
});

test('the owner is notified when the kernel has taken a write, but not on a destroyed connection', async (t) => {
  const server = new Server();
  let taken = 0;
  const writer = server.writer(false, () => taken++);
  writer.ping('1');
  await new Promise(process.nextTick);
  t.is(taken, 0);
  server.take();
  t.is(taken, 1);
  Object.assign(server.socket, { destroyed: true });
  writer.ping('2');
  await new Promise(process.nextTick);
  t.is(server.writes, 0);
  t.is(writer.bufferedBytes, 0);
});
