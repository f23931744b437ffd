import { LiveEdge } from '../audio/live-edge.ts';
import type { Distribution } from '../metrics/distribution.ts';
import type { Millis } from '../runtime/clock.ts';

/** Every piece of the call counts once, however long messages are: this is a block of Connect's. */
const PIECE_MS: Millis = 64;
/** The pieces of 8 minutes, more than a stream without retention keeps: no backlog at the start is longer. */
const MOST_UNSETTLED = 8192;

interface Span {
  readonly fromMs: Millis;
  readonly toMs: Millis;
}

/**
 * Measures how late a call's audio is handed to the kernel, from the live edge (audio/live-edge.ts). A stalled process,
 * messages that gather audio, a slow connection and a backlog all show. Silence in place of missing audio does not
 * count.
 */
export class LagMeter {
  readonly edge = new LiveEdge();
  readonly #startedAtMs: Millis | undefined;
  readonly #distribution: Pick<Distribution, 'observe'>;
  /** The call up to here was handed over. */
  #reachedMs: Millis;
  /** Undefined when there are none, as are the pieces below: with thousands of calls each object that is looked at costs. */
  #silences: Span[] | undefined;
  /** Pieces handed over before it was known how late that was: for each its end in the call, and when that was. */
  #unsettled: Millis[] | undefined;
  #lastMs: Millis = 0;
  #worstMs: Millis = 0;

  /**
   * @param startMs where in the call the audio begins
   * @param startedAtMs when call time 0 was, on our clock, if the start said so: audio before the edge is known cannot
   *   be later than that allows, however fast a recording comes
   */
  constructor(startMs: Millis, distribution: Pick<Distribution, 'observe'>, startedAtMs?: Millis) {
    this.#startedAtMs = startedAtMs;
    this.#reachedMs = startMs;
    this.#distribution = distribution;
  }

  /** There is no audio in this part of the call, which is still to be handed over. */
  silent(fromMs: Millis, toMs: Millis): void {
    this.#silences ??= [];
    this.#silences.push({ fromMs, toMs });
  }

  /** The kernel has taken the call up to `callMs`; audio that is sent again does not count again. */
  handedOver(callMs: Millis, atMs: Millis): void {
    if (callMs <= this.#reachedMs) return;
    let pieces = 0;
    let sumMs = 0;
    for (let endMs = endOfPiece(this.#reachedMs); endMs <= callMs; endMs += PIECE_MS) {
      if (this.#isSilent(endMs)) continue;
      const lagMs = this.#lagMs(endMs, atMs);
      pieces++;
      sumMs += lagMs;
      if (this.edge.isSettled) {
        this.#note(lagMs);
      } else {
        this.#unsettled ??= [];
        this.#unsettled.push(endMs, atMs);
      }
    }
    this.#reachedMs = callMs;
    if (pieces > 0) this.#lastMs = sumMs / pieces;
    if (this.#unsettled && (this.edge.isSettled || this.#unsettled.length > 2 * MOST_UNSETTLED)) this.settle();
  }

  /** Counts audio that was handed over before the edge was known; call it at the end of a call too. */
  settle(): void {
    const lagsMs = this.#unsettledLagsMs;
    this.#unsettled = undefined;
    for (const lagMs of lagsMs) this.#note(lagMs);
  }

  /** The current lag: of the audio handed over last or, if larger, of the audio that waits up to `endMs`. */
  nowMs(endMs: Millis, atMs: Millis): Millis {
    const nextMs = Math.min(endOfPiece(this.#reachedMs), endMs);
    const waits = endMs > this.#reachedMs && !this.#isSilent(nextMs);
    return Math.max(this.#lastMs, waits ? this.#lagMs(nextMs, atMs) : 0);
  }

  /** The largest lag so far. */
  get worstMs(): Millis {
    return Math.max(this.#worstMs, ...this.#unsettledLagsMs);
  }

  #lagMs(callMs: Millis, atMs: Millis): Millis {
    return this.edge.isSettled ? this.edge.lagMs(callMs, atMs) : this.#boundedMs(callMs, atMs);
  }

  get #unsettledLagsMs(): Millis[] {
    const pieces = this.#unsettled ?? [];
    return Array.from({ length: pieces.length / 2 }, (_, nth) =>
      this.#boundedMs(pieces[2 * nth] as Millis, pieces[2 * nth + 1] as Millis),
    );
  }

  /** The lag of audio from before the edge was known. */
  #boundedMs(callMs: Millis, atMs: Millis): Millis {
    const lagMs = this.edge.lagMs(callMs, atMs);
    return this.#startedAtMs === undefined ? lagMs : Math.max(0, Math.min(lagMs, atMs - this.#startedAtMs - callMs));
  }

  #note(lagMs: Millis): void {
    this.#distribution.observe(lagMs);
    this.#worstMs = Math.max(this.#worstMs, lagMs);
  }

  /** Forgets silences before `callMs`, which only grows. */
  #isSilent(callMs: Millis): boolean {
    if (!this.#silences) return false;
    while (this.#silences[0] && this.#silences[0].toMs < callMs) this.#silences.shift();
    const [next] = this.#silences;
    if (!next) this.#silences = undefined;
    return next !== undefined && callMs > next.fromMs;
  }
}

/** The end of the piece that begins at, or includes, `callMs`. */
function endOfPiece(callMs: Millis): Millis {
  return (Math.floor(callMs / PIECE_MS) + 1) * PIECE_MS;
}
