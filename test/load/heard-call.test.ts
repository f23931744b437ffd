import test from 'ava';
import { Ear, HeardCall } from './heard-call.ts';
import { monotonicMs, ticksOf } from './monotonic.ts';
import { monoPattern, patternOf, STEREO_BLOCK_BYTES, writeMark } from './sound.ts';

const CALL = 7;
const NO_MASK = new Uint8Array(4);

/** A block as Deepgram receives it. */
function spoken(call: number, block: number): Buffer {
  const both = Buffer.alloc(STEREO_BLOCK_BYTES);
  for (const track of [0, 1] as const) {
    const pcm = Buffer.from(monoPattern(track, patternOf(call, block)));
    writeMark(pcm, 0, track, { call, block, saidAtTicks: ticksOf(monotonicMs()) });
    for (let at = 0; at < pcm.length; at += 2) pcm.copy(both, 2 * at + 2 * track, at, at + 2);
  }
  return both;
}

const said = (count: number) => Array.from({ length: count }, (_, block) => spoken(CALL, block));
const silence = Buffer.alloc(STEREO_BLOCK_BYTES);

/** Figures of a call of four blocks whose audio arrives in pieces of `pieceBytes`. */
function figuresOf(audio: readonly Buffer[], { isVerified = true, pieceBytes = 1000 } = {}) {
  const heard = new HeardCall(CALL, isVerified, () => {});
  feed(new Ear(heard, 0), Buffer.concat(audio), pieceBytes);
  return heard.figures(4);
}

function feed(ear: Ear, bytes: Buffer, pieceBytes = 1000): void {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    ear.take({ bytes, from, to: Math.min(bytes.length, from + pieceBytes), mask: NO_MASK, phase: 0 });
  }
}

const SOUND = { gapMs: 0, wrongBlocks: 0, surplusMs: 0, repeatedBlocks: 0 };

for (const pieceBytes of [1, 31, 32, 33, 2047, 2048, 8000]) {
  test(`a call that arrives unchanged is correct, in pieces of ${pieceBytes} bytes`, (t) => {
    t.like(figuresOf(said(4), { pieceBytes }), SOUND);
    t.like(figuresOf(said(4), { pieceBytes, isVerified: false }), SOUND);
  });
}

test('silence in place of a block is a gap', (t) => {
  t.like(figuresOf(said(4).with(2, silence)), { ...SOUND, gapMs: 64 });
});

test('silence in place of one track is a gap too', (t) => {
  const half = spoken(CALL, 1);
  for (let at = 0; at < half.length; at += 4) half.writeUInt16LE(0, at);
  t.like(figuresOf(said(4).with(1, half)), { ...SOUND, gapMs: 64 });
});

test('a missing end is a gap, to the sample', (t) => {
  t.like(figuresOf([...said(3), spoken(CALL, 3).subarray(0, 1024)]), { ...SOUND, gapMs: 32 });
  t.like(figuresOf([]), { ...SOUND, gapMs: 4 * 64 });
});

test('audio after the end is a surplus', (t) => {
  t.like(figuresOf([...said(4), silence]), { surplusMs: 64 });
});

test('a block of another call, at another position or on the other channel is wrong', (t) => {
  t.is(figuresOf(said(4).with(1, spoken(CALL + 1, 1))).wrongBlocks, 1);
  t.is(figuresOf(said(4).with(1, spoken(CALL, 2))).wrongBlocks, 1);
  const swapped = spoken(CALL, 1).swap32().swap16();
  t.is(figuresOf(said(4).with(1, swapped)).wrongBlocks, 1);
});

test('one wrong byte anywhere in a block of a verified call is noticed', (t) => {
  for (const at of [0, 31, 32, 1000, STEREO_BLOCK_BYTES - 1]) {
    const bad = spoken(CALL, 2);
    bad[at] = (bad[at] as number) ^ 1;
    const isInTime = at >= 24 && at < 32;
    t.is(figuresOf(said(4).with(2, bad)).wrongBlocks, isInTime ? 0 : 1, `byte ${at}`);
  }
});

test('audio that a second connection sends again is a repeat, and audio that neither sent is a gap', (t) => {
  const blocks = said(4);
  const heard = new HeardCall(CALL, true, () => {});
  feed(new Ear(heard, 0), Buffer.concat(blocks.slice(0, 2)));
  feed(new Ear(heard, 32), Buffer.concat(blocks).subarray(1024));
  t.like(heard.figures(4), { ...SOUND, repeatedBlocks: 1, receivedMs: 128 + 224, reachedMs: 256 });
  const gap = new HeardCall(CALL, true, () => {});
  feed(new Ear(gap, 0), Buffer.concat(blocks.slice(0, 2)));
  feed(new Ear(gap, 192), blocks[3] as Buffer);
  t.like(gap.figures(4), { ...SOUND, gapMs: 64 });
});
