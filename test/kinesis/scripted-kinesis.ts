import { nextOf, type TakeBytes } from '../../daemon/kinesis/http/media-body.ts';
import type { Media, MediaSource, Start } from '../../daemon/kinesis/media-source.ts';
import type { Clock, Millis } from '../../daemon/runtime/clock.ts';
import { bodyOf } from './http/body.ts';
import { fragment, type TestFragment } from './stream.ts';

/** The chunks of one GetMedia body; an exception breaks it. */
export type Chunks = AsyncGenerator<Uint8Array, void>;

/** Responds to the nth GetMedia, counted from 0; throws to refuse it. */
export type Answer = (start: Start, nth: number, signal: AbortSignal) => Chunks | Promise<Chunks>;

/** Scripted Kinesis: `answer` responds to each GetMedia. Counts open connections. */
export class ScriptedKinesis implements MediaSource {
  readonly requests: { readonly start: Start; readonly atMs: Millis }[] = [];
  open = 0;
  mostOpen = 0;
  readonly #answer: Answer;
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  readonly #answered: Promise<Media>[] = [];

  /** @param onEnd called when a connection has ended, whichever side ended it */
  constructor(clock: Clock, answer: Answer, onEnd: () => void = () => {}) {
    this.#clock = clock;
    this.#answer = answer;
    this.#onEnd = onEnd;
  }

  getMedia(_arn: string, start: Start, signal: AbortSignal): Promise<Media> {
    const media = this.#get(start, signal);
    this.#answered.push(media);
    return media;
  }

  /** Resolves when every GetMedia has a response. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#answered);
  }

  async #get(start: Start, signal: AbortSignal): Promise<Media> {
    const nth = this.requests.length;
    this.requests.push({ start, atMs: this.#clock.now() });
    const chunks = await this.#answer(start, nth, signal);
    const closed = Promise.withResolvers<undefined>();
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    let isOpen = true;
    const end = () => {
      if (!isOpen) return undefined;
      isOpen = false;
      this.open--;
      closed.resolve(undefined);
      this.#onEnd();
      return undefined;
    };
    const all = bodyOf(chunks);
    const body = {
      get fault() {
        return all.fault;
      },
      read: (notBeforeMs: Millis, take: TakeBytes) => {
        const next = isOpen ? Promise.race([nextOf(all, notBeforeMs), closed.promise]) : closed.promise;
        void next.then((bytes) => take(bytes ?? end()));
      },
    };
    return { requestId: `request-${nth}`, body, close: end };
  }
}

/** What a connection sends: fragments, and pauses in ms between them. */
export interface Connection {
  readonly sends?: readonly (TestFragment | Millis)[];
  /** `repeats`: sends its last fragment again and again, under new numbers. */
  readonly ending?: 'ends' | 'breaks' | 'hangs' | 'repeats';
}

const REPEATED_EVERY_MS: Millis = 1000;

/** Responds with one connection or refusal after the other, and then with the last one again and again. */
export function inOrder(clock: Clock, connections: readonly (Connection | Error)[]): Answer {
  return (_start, nth) => {
    const connection = connections[Math.min(nth, connections.length - 1)] ?? {};
    if (connection instanceof Error) throw connection;
    return chunksOf(clock, connection);
  };
}

async function* chunksOf(clock: Clock, { sends = [], ending = 'ends' }: Connection): Chunks {
  for (const one of sends) {
    if (typeof one === 'number') await clock.sleep(one);
    else yield fragment(one);
  }
  const last = sends.findLast((one) => typeof one === 'object');
  for (let number = Number(last?.number) + 1; last && ending === 'repeats'; number++) {
    await clock.sleep(REPEATED_EVERY_MS);
    yield fragment({ ...last, number });
  }
  if (ending === 'breaks') throw new Error('socket hang up');
  if (ending === 'hangs') await new Promise(() => {});
}
