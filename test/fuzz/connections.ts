import type { Media, MediaSource, Start } from '../../daemon/kinesis/media-source.ts';
import { kinesisRefusal } from '../../daemon/kinesis/refusal.ts';
import { bodyOf } from '../kinesis/http/body.ts';
import { type ChunkSizes, cut } from './chunks.ts';

/** decision 4 of the design: a call has two connections at most, and that only while one takes over from the other. */
const MOST_AT_ONCE = 2;

/** Far more than any script has: a reader that asks for more would ask for ever. */
const MOST_ASKED = 200;

/** The bytes of a connection, how they are cut, and how it ends. */
export interface Body {
  readonly bytes: Buffer;
  readonly sizes: ChunkSizes;
  readonly ending: 'ends' | 'breaks' | 'hangs';
}

/** What becomes of one GetMedia. */
export interface Answer {
  /** How many turns of the micro-task queue go by before it comes: no timer, so a slow machine changes nothing. */
  readonly afterTurns: number;
  /** Called then. Throws when it is refused. */
  readonly body: () => Body;
}

/** Kinesis by a script, which counts the connections that are open. */
export class Connections implements MediaSource {
  open = 0;
  readonly #answer: (start: Start) => Answer;
  readonly #onEnd: () => void;
  readonly #pending: Promise<Media>[] = [];
  #most = 0;

  /** @param onEnd called when a connection has ended, whoever ended it */
  constructor(answer: (start: Start) => Answer, onEnd: () => void = () => {}) {
    this.#answer = answer;
    this.#onEnd = onEnd;
  }

  getMedia(_arn: string, start: Start, signal: AbortSignal): Promise<Media> {
    const media = this.#get(start, signal);
    this.#pending.push(media);
    return media;
  }

  /** The reading is over. Throws when more than two connections were open at once, or one is open still. */
  async assertClosed(): Promise<void> {
    // A successor that was asked for just before the end is closed when it comes.
    await Promise.allSettled(this.#pending);
    if (this.#most > MOST_AT_ONCE) throw new Error(`${this.#most} connections were open at once`);
    if (this.open > 0) throw new Error(`${this.open} connections were left open`);
  }

  async #get(start: Start, signal: AbortSignal): Promise<Media> {
    if (this.#pending.length > MOST_ASKED) throw new Error(`${MOST_ASKED} connections, and no end`);
    const { afterTurns, body } = this.#answer(start);
    for (let turn = 0; turn < afterTurns; turn++) await undefined;
    if (signal.aborted) throw kinesisRefusal(signal.reason, 'the stream');
    return this.#media(body());
  }

  #media({ bytes, sizes, ending }: Body): Media {
    const closed = Promise.withResolvers<void>();
    let isOpen = true;
    this.open++;
    this.#most = Math.max(this.#most, this.open);
    const end = () => {
      if (!isOpen) return;
      isOpen = false;
      this.open--;
      closed.resolve();
      this.#onEnd();
    };
    async function* chunks() {
      try {
        for (const chunk of cut(bytes, sizes)) {
          if (!isOpen) return;
          yield chunk;
        }
        if (ending === 'hangs') await closed.promise;
        if (ending === 'breaks') throw new Error('socket hang up');
      } finally {
        end();
      }
    }
    return { requestId: 'by the script', body: bodyOf(chunks()), close: end };
  }
}
