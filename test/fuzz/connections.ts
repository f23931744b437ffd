import type { Start } from '../../daemon/kinesis/media-source.ts';
import { kinesisRefusal } from '../../daemon/kinesis/refusal.ts';
import type { Clock, Millis } from '../../daemon/runtime/clock.ts';
import { type Chunks, ScriptedKinesis } from '../kinesis/scripted-kinesis.ts';
import { type ChunkSizes, cut } from './chunks.ts';

/** daemon/README.md, decision 1: a call has two connections at most, and that only during a rotation. */
const MOST_AT_ONCE = 2;

/** Far more than any script has: a reader that exceeds it would never end. */
const MOST_REQUESTS = 200;

/** The bytes of a connection, how they are cut, and how it ends. */
export interface Body {
  readonly bytes: Buffer;
  readonly sizes: ChunkSizes;
  readonly ending: 'ends' | 'breaks' | 'hangs';
}

/** The response to one GetMedia. */
export interface Answer {
  /** Turns of the microtask queue before the response, independent of the machine's speed. */
  readonly afterTurns: number;
  /** Called after these turns. Throws to refuse. */
  readonly body: () => Body;
}

interface ConnectionsOptions {
  readonly clock: Clock;
  readonly answer: (start: Start) => Answer;
  /** Called before each chunk. */
  readonly onChunk: () => void;
  /** Called when a connection has ended, whichever side ended it. */
  readonly onEnd?: () => void;
}

/** Scripted Kinesis that sends arbitrary bytes. */
export class Connections extends ScriptedKinesis {
  constructor({ clock, answer, onChunk, onEnd = () => {} }: ConnectionsOptions) {
    const answerInTurn = async (start: Start, nth: number, signal: AbortSignal): Promise<Chunks> => {
      if (nth > MOST_REQUESTS) throw new Error(`no end after ${MOST_REQUESTS} connections`);
      const { afterTurns, body } = answer(start);
      for (let turn = 0; turn < afterTurns; turn++) await undefined;
      if (signal.aborted) throw kinesisRefusal(signal.reason, 'the stream');
      return chunksOf(body(), onChunk);
    };
    super(clock, answerInTurn, onEnd);
  }

  /** Call after the reading. Throws when more than two connections were open at once, or one is still open. */
  async assertClosed(): Promise<void> {
    // A successor requested just before the end is closed when it opens.
    await this.settled();
    if (this.mostOpen > MOST_AT_ONCE) throw new Error(`${this.mostOpen} connections were open at once`);
    if (this.open > 0) throw new Error(`${this.open} connections were left open`);
  }
}

async function* chunksOf({ bytes, sizes, ending }: Body, onChunk: () => void): Chunks {
  for (const chunk of cut(bytes, sizes)) {
    onChunk();
    yield chunk;
  }
  if (ending === 'hangs') await new Promise(() => {});
  if (ending === 'breaks') throw new Error('socket hang up');
}

/** Moves a clock forward with each call. */
export function jumps(clock: { forward(ms: Millis): void }, byMs: (nth: number) => Millis): () => void {
  let nth = 0;
  return () => clock.forward(byMs(nth++));
}
