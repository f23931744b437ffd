import type { ToldGap } from '../checkpoints/checkpoint.ts';
import type { Channel } from '../contract/audio-format.ts';
import { SPEAKERS } from '../contract/events.ts';
import type { GapCause } from '../contract/gap-causes.ts';
import type { Log } from '../log/log.ts';
import type { SessionMetrics, Trouble } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import { type ChannelLoss, ChannelLosses, type Silences } from './channel-losses.ts';
import { GapCauseTracker, type Reach } from './gap-cause.ts';
import { GapTotal } from './gap-total.ts';

/** A gap's place is known to within the piece that was taken with it: found again, it may be as far from there. */
const PLACE_MS: Millis = 250;
/** A call that is read again from before more gaps than this has the earlier ones counted twice. */
const MOST_TOLD = 1024;

/** What processes before this one have counted, up to where the session resumes, and the gaps that they reported after it. */
interface Earlier {
  readonly gapMs?: Millis | undefined;
  readonly toldGaps?: readonly ToldGap[] | undefined;
  readonly missedAtStartMs?: Millis | undefined;
}

/** A gap, in ms of the call. */
interface FoundGap {
  readonly cause: Trouble;
  readonly startMs: Millis;
  readonly endMs: Millis;
  /** Undefined: both. */
  readonly channel?: Channel;
}

/** Logs and counts gaps as they show, each with its cause. */
export class GapReporter {
  readonly #log: Log;
  readonly #metrics: Pick<SessionMetrics, 'gap' | 'notStreamedMs'>;
  readonly #causes = new GapCauseTracker();
  #losses = new ChannelLosses();
  #reportedMs: Millis = 0;
  /** What one channel alone lacks. */
  #channelMs: Millis = 0;
  /** Of what was reported: time that the flow did not stream, which is not missing. */
  #notStreamedMs: Millis = 0;
  /** Audio that is missing outside of the call's audio, before its beginning or after its end. */
  #outsideMs: Millis = 0;
  readonly #onGap: ((gap: FoundGap) => void) | undefined;
  /** Position of the gap to be reported next. */
  #spanMs: [from: Millis, to: Millis] | undefined;
  #spannedMs: Millis = 0;
  #positionMs: Millis = 0;
  /** Where the latest gaps are: the call may be read again from there. */
  readonly #told: (ToldGap & { /** The part that has not been found again. */ leftMs: Millis })[];
  /** Up to here the call is read again: what is found may be told already. */
  #rereadToMs: Millis = 0;
  /** What was lost outside of the call's audio, by cause: it is found again when the call is read again. */
  readonly #outside = new Map<GapCause, Millis>();
  /** The gaps that processes and aligners before these have found, less those that this aligner has found again. */
  #earlierMs: Millis;
  readonly #total: GapTotal;

  /**
   * @param onGap takes each gap with its place in the call
   * @param earlier of a session that resumes
   */
  constructor(
    log: Log,
    metrics: Pick<SessionMetrics, 'gap' | 'notStreamedMs'>,
    onGap?: (gap: FoundGap) => void,
    { gapMs = 0, toldGaps = [], missedAtStartMs = 0 }: Earlier = {},
  ) {
    this.#earlierMs = gapMs + sumOf(toldGaps);
    this.#outsideMs = missedAtStartMs;
    this.#outside.set('missed-at-start', missedAtStartMs);
    this.#notStreamedMs = sumOf(toldGaps.filter(({ isStreamed }) => !isStreamed));
    this.#total = new GapTotal(gapMs);
    for (const gap of toldGaps) if (gap.isStreamed) this.#total.add(gap);
    this.#told = toldGaps.map((gap) => ({ ...gap, leftMs: gap.missingMs }));
    this.#rereadToMs = Math.max(0, ...toldGaps.map(({ endMs }) => endMs));
    this.#log = log;
    this.#metrics = metrics;
    this.#onGap = onGap;
  }

  /** Tells where gaps are: call this with the aligner after each piece of `pieceMs` that was taken from it. */
  took({ gapMs, positionMs }: { readonly gapMs: Millis; readonly positionMs: Millis }, pieceMs: Millis): void {
    const missingMs = gapMs - this.#spannedMs;
    if (missingMs === 0) return;
    this.#spannedMs = gapMs;
    // A piece's gap is at its end where the gap begins, and at its beginning where it ends.
    if (this.#spanMs) this.#spanMs[1] = positionMs - pieceMs + missingMs;
    else this.#spanMs = [positionMs - missingMs, positionMs];
  }

  /** Reports trouble that may cost audio. */
  note(cause: Trouble): void {
    this.#causes.note(cause);
    this.#losses.note(cause);
  }

  /** All gaps of a call, with `gapMs` of its aligner. */
  totalMs(gapMs: Millis): Millis {
    return this.#earlierMs + gapMs + this.#channelMs - this.#notStreamedMs + this.#outsideMs;
  }

  /** The call is read again, with another aligner, from an earlier place: what was reported is not reported again. */
  restart(): void {
    this.#rereadToMs = Math.max(this.#rereadToMs, this.#positionMs);
    this.#earlierMs += this.#reportedMs + this.#channelMs;
    for (const told of this.#told) told.leftMs = told.missingMs;
    this.#reportedMs = 0;
    this.#channelMs = 0;
    this.#losses = new ChannelLosses();
    this.#spannedMs = 0;
    this.#spanMs = undefined;
  }

  /** What is missing before a moment of the call, which never decreases. */
  beforeMs(callMs: Millis): Millis {
    return this.#total.beforeMs(callMs);
  }

  /** The gaps that were reported after a moment of the call; undefined if there are none. */
  toldAfter(callMs: Millis): readonly ToldGap[] | undefined {
    const later = this.#told.filter(({ endMs }) => endMs > callMs);
    return later.length > 0 ? later.map(({ leftMs: _, ...gap }) => after(gap, callMs)) : undefined;
  }

  /** What the stream no longer had of the call's beginning, unless it is in `gapMs` of an earlier process. */
  get missedAtStartMs(): Millis {
    return this.#outside.get('missed-at-start') ?? 0;
  }

  /** Reports audio that is missing where no later audio shows it. */
  lost(cause: GapCause, ms: Millis): void {
    const missingMs = ms - (this.#outside.get(cause) ?? 0);
    if (missingMs <= 0) return;
    this.#outside.set(cause, ms);
    this.#outsideMs += missingMs;
    this.#metrics.gap(cause, missingMs);
    this.#log.warn({ event: 'audio.gap', cause, missingMs }, 'audio of the call is missing');
    const fromMs = cause === 'missed-at-start' ? 0 : this.#positionMs;
    this.#onGap?.({ cause, startMs: fromMs, endMs: cause === 'missed-at-start' ? 0 : fromMs + missingMs });
  }

  /** Call this with the aligner after taking audio from it. */
  check(call: Reach & { readonly gapMs: Millis }): void {
    const { gapMs, positionMs } = call;
    this.#positionMs = positionMs;
    if (gapMs === this.#reportedMs) {
      this.#causes.unfounded(call);
      return;
    }
    const cause = this.#causes.blame();
    const foundMs = gapMs - this.#reportedMs;
    this.#reportedMs = gapMs;
    const span = this.#spanMs ?? [positionMs - foundMs, positionMs];
    this.#spanMs = undefined;
    const found = this.#foundNow(span, foundMs, cause !== 'not-streamed');
    if (!found) return;
    const { missingMs, ...place } = found;
    this.#onGap?.({ cause, ...place });
    if (cause === 'not-streamed') {
      this.#notStreamedMs += missingMs;
      this.#metrics.notStreamedMs += missingMs;
      const fields = { event: 'audio.not-streamed', pauseMs: missingMs, callMs: positionMs };
      this.#log.info(fields, 'the contact flow did not stream for a while: replaced by silence');
      return;
    }
    this.#total.add(found);
    this.#metrics.gap(cause, missingMs);
    const fields = { event: 'audio.gap', cause, missingMs, callMs: positionMs };
    this.#log.warn(fields, 'audio is missing from the stream: replaced by silence');
  }

  /** Reports what one channel alone lost to trouble. Call this after `check`. */
  checkChannels(call: Silences): void {
    for (const loss of this.#losses.check(call)) this.#noteLoss(loss);
  }

  /** The call has ended. Its last fragment's loss may have been reported as withheld. */
  finish(call: Silences): void {
    const withheldMs = this.#outside.get('withheld-at-end') ?? 0;
    for (const loss of this.#losses.finish(call, withheldMs)) this.#noteLoss(loss);
  }

  #noteLoss({ cause, channel, startMs, endMs }: ChannelLoss): void {
    this.#channelMs += endMs - startMs;
    const found = this.#foundNow([startMs, endMs], endMs - startMs, true);
    if (!found) return;
    const { missingMs, ...place } = found;
    this.#onGap?.({ cause, ...place, channel });
    this.#total.add(found);
    this.#metrics.gap(cause, missingMs);
    const fields = { event: 'audio.gap', cause, missingMs, callMs: endMs, speaker: SPEAKERS[channel] };
    this.#log.warn(fields, 'audio of one side is missing from the stream: replaced by silence');
  }

  /** The part of a gap that was not reported before the call was read again, and its place; undefined if all of it was. */
  #foundNow(span: readonly [Millis, Millis], foundMs: Millis, isStreamed: boolean) {
    const againMs = this.#foundAgain(span, foundMs);
    const missingMs = foundMs - againMs;
    if (againMs > 0 && missingMs < 1) return undefined;
    const [startMs, endMs] = this.#untold(span);
    this.#told.push({ startMs, endMs, missingMs, isStreamed, leftMs: 0 });
    if (this.#told.length > MOST_TOLD) this.#told.shift();
    return { startMs, endMs, missingMs };
  }

  /** How much of a gap was found, and counted, before the call was read again. */
  #foundAgain([startMs, endMs]: readonly [Millis, Millis], foundMs: Millis): Millis {
    if (startMs >= this.#rereadToMs + PLACE_MS) return 0;
    let againMs = 0;
    for (const told of this.#told) {
      if (told.startMs - PLACE_MS >= endMs || startMs >= told.endMs + PLACE_MS) continue;
      const ofIt = Math.min(told.leftMs, foundMs - againMs);
      told.leftMs -= ofIt;
      againMs += ofIt;
    }
    this.#earlierMs -= againMs;
    return againMs;
  }

  /** The gap without what its beginning and its end have in common with gaps that were told. */
  #untold([startMs, endMs]: readonly [Millis, Millis]): readonly [Millis, Millis] {
    if (startMs >= this.#rereadToMs) return [startMs, endMs];
    const at = (ms: Millis) => this.#told.filter((told) => told.startMs <= ms && ms <= told.endMs);
    const from = Math.max(startMs, ...at(startMs).map((told) => told.endMs));
    const to = Math.min(endMs, ...at(endMs).map((told) => told.startMs));
    return from < to ? [from, to] : [startMs, endMs];
  }
}

function sumOf(gaps: readonly ToldGap[]): Millis {
  return gaps.reduce((sum, { missingMs }) => sum + missingMs, 0);
}

/** The part of a gap after a moment of the call. */
function after(gap: ToldGap, callMs: Millis): ToldGap {
  const startMs = Math.max(gap.startMs, callMs);
  return { ...gap, startMs, missingMs: (gap.missingMs * (gap.endMs - startMs)) / (gap.endMs - gap.startMs) };
}
