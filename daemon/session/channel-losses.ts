import { AGENT, type Channel, CUSTOMER } from '../contract/audio-format.ts';
import type { GapCause } from '../contract/gap-causes.ts';
import type { Trouble } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';

/** A block of Connect's. */
const BLOCK_MS: Millis = 64;
/** Where both channels have a gap, one of them may begin and end earlier than the other by a block. */
const BESIDE_GAP_MS: Millis = 2 * BLOCK_MS;
/** A channel whose audio has not come back by then has ended: more of its silence is no loss. */
const BACK_WITHIN_MS: Millis = 5000;
/** A call that ends this much after trouble has ended in it: its last fragment may be forwarded late. */
const ENDS_WITHIN_MS: Millis = 2000;
const BOTH = [CUSTOMER, AGENT] as const;
const NONE: readonly ChannelLoss[] = [];

/** What is known of both channels' silence (audio/aligner.ts). */
export interface Silences {
  readonly gapMs: Millis;
  readonly positionMs: Millis;
  readonly reachMs: Millis;
  silentMs(channel: Channel): Millis;
  silentToMs(channel: Channel): Millis;
  isPresent(channel: Channel): boolean;
}

/** Audio that only one channel lacks. */
export interface ChannelLoss {
  readonly cause: GapCause;
  readonly channel: Channel;
  readonly startMs: Millis;
  readonly endMs: Millis;
}

/** One channel's silence, where the call has been taken without trouble. */
interface Before {
  silentMs: Millis;
  /** Undefined before the first audio: it may come together with the trouble. */
  isPresent: boolean | undefined;
}

/**
 * Finds what one channel alone lost to trouble with the stream. Silence on one track is usual, so it counts as a loss only
 * if it begins with the trouble and ends with new audio of that track, or if the call ends in the trouble.
 */
export class ChannelLosses {
  readonly #before: [Before, Before] = [
    { silentMs: 0, isPresent: undefined },
    { silentMs: 0, isPresent: undefined },
  ];
  #gapBeforeMs: Millis = 0;
  #cause: GapCause | undefined;
  /** How far the call had been read at the last report: audio that follows it is past the trouble. */
  #untilMs: Millis | undefined;

  /** Reports trouble that may cost audio. */
  note(cause: Trouble): void {
    if (cause === 'not-streamed') return;
    this.#cause ??= cause;
    this.#untilMs = undefined;
  }

  /** Call this after taking audio. Returns what was lost to trouble that is over. */
  check(call: Silences): readonly ChannelLoss[] {
    if (this.#cause === undefined) {
      this.#remember(call);
      return NONE;
    }
    this.#untilMs ??= call.reachMs;
    const beyondMs = call.positionMs - this.#untilMs;
    if (beyondMs <= 0 || (beyondMs < BACK_WITHIN_MS && this.#isAwaited(call))) return NONE;
    return this.#close(call, this.#cause);
  }

  #isAwaited(call: Silences): boolean {
    return BOTH.some((channel) => this.#before[channel].isPresent !== false && !call.isPresent(channel));
  }

  /** The call has ended, perhaps in trouble: then nothing comes back. Of what was lost, `knownMs` is counted already. */
  finish(call: Silences, knownMs: Millis): readonly ChannelLoss[] {
    const cause = this.#cause;
    if (cause === undefined || call.positionMs - (this.#untilMs ?? Infinity) > ENDS_WITHIN_MS) return NONE;
    return BOTH.flatMap((channel) => this.#lossOf(channel, call, cause, knownMs));
  }

  #close(call: Silences, cause: GapCause): readonly ChannelLoss[] {
    const back = BOTH.filter((channel) => call.isPresent(channel));
    const losses = back.flatMap((channel) => this.#lossOf(channel, call, cause, 0));
    this.#cause = undefined;
    this.#remember(call);
    return losses;
  }

  #lossOf(channel: Channel, call: Silences, cause: GapCause, knownMs: Millis): ChannelLoss[] {
    const { silentMs, isPresent } = this.#before[channel];
    const gapMs = call.gapMs - this.#gapBeforeMs;
    const lostMs = call.silentMs(channel) - silentMs - gapMs - knownMs;
    const endMs = call.silentToMs(channel);
    const startMs = Math.max(0, endMs - lostMs);
    const hadAudio = isPresent ?? startMs > 0;
    if (!hadAudio || lostMs < (gapMs > 0 ? BESIDE_GAP_MS : BLOCK_MS)) return [];
    return [{ cause, channel, startMs, endMs }];
  }

  #remember(call: Silences): void {
    this.#gapBeforeMs = call.gapMs;
    for (const channel of BOTH) {
      const before = this.#before[channel];
      before.silentMs = call.silentMs(channel);
      before.isPresent = call.isPresent(channel);
    }
  }
}
