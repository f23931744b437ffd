import test from 'ava';
import * as ws from 'ws';
import { BadFrame, ClientFrames, type Masked, OPCODE, serverFrame, unmask } from './ws-frames.ts';

/** Missing in the package's types. */
const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } };

/** The reader's events for bytes that arrive in pieces of `pieceBytes`. */
function eventsOf(bytes: Buffer, pieceBytes: number): unknown[] {
  const events: unknown[] = [];
  let audio: Buffer[] = [];
  const frames = new ClientFrames({
    audio: (run) => audio.push(plain(run)),
    audioEnd: (length) => {
      events.push({ audio: Buffer.concat(audio).toString('hex'), length });
      audio = [];
    },
    text: (text) => events.push({ text }),
    control: (opcode, payload) => events.push({ opcode, payload: payload.toString() }),
  });
  for (let at = 0; at < bytes.length; at += pieceBytes) frames.push(bytes.subarray(at, at + pieceBytes));
  return events;
}

function plain(run: Masked): Buffer {
  const out = Buffer.alloc(run.to - run.from);
  unmask(run, out, 0);
  return out;
}

/** A frame as clients of the ws package write it. */
function frame(opcode: number, payload: Buffer, fin = true): Buffer {
  const options = { fin, rsv1: false, opcode, mask: true, readOnly: true };
  return Buffer.concat(Sender.frame(Buffer.from(payload), options));
}

const AUDIO = [1, 125, 126, 2048, 65_535, 65_536, 70_000].map((length) => Buffer.alloc(length, `audio of ${length}`));

for (const pieceBytes of [1, 7, 100, 4096, 1_000_000]) {
  test(`everything a client sends is read, in pieces of ${pieceBytes} bytes`, (t) => {
    const sent = Buffer.concat([
      ...AUDIO.map((audio) => frame(OPCODE.binary, audio)),
      frame(OPCODE.text, Buffer.from('{"type":"KeepAlive"}')),
      frame(OPCODE.binary, Buffer.alloc(0)),
      frame(OPCODE.ping, Buffer.from('96000')),
      frame(OPCODE.binary, Buffer.from('in '), false),
      frame(OPCODE.ping, Buffer.from('between')),
      frame(OPCODE.continuation, Buffer.from('two')),
      frame(OPCODE.text, Buffer.from('{"type":'), false),
      frame(OPCODE.ping, Buffer.alloc(0)),
      frame(OPCODE.continuation, Buffer.from('"Finalize"}')),
      frame(OPCODE.close, Buffer.of(3, 232)),
    ]);
    t.deepEqual(eventsOf(sent, pieceBytes), [
      ...AUDIO.map((audio) => ({ audio: audio.toString('hex'), length: audio.length })),
      { text: '{"type":"KeepAlive"}' },
      { audio: '', length: 0 },
      { opcode: OPCODE.ping, payload: '96000' },
      { opcode: OPCODE.ping, payload: 'between' },
      { audio: Buffer.from('in two').toString('hex'), length: 6 },
      { opcode: OPCODE.ping, payload: '' },
      { text: '{"type":"Finalize"}' },
      { opcode: OPCODE.close, payload: '\u0003\ufffd' },
    ]);
  });
}

test('an unmasked frame is rejected', (t) => {
  t.throws(() => eventsOf(serverFrame(OPCODE.text, Buffer.from('{}')), 100), { instanceOf: BadFrame });
});
