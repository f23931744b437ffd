import type { AudioBlock } from '../audio/pcm.ts';
import type { Log } from '../log/log.ts';
import type { HoleCause, SessionMetrics } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import { CallEnd, type CallEndSettings, type EndOfContact } from './call-end.ts';
import { Connection, type ConnectionOutcome } from './connection.ts';
import type { Contact, Position } from './contact.ts';
import { ContactFilter } from './filter/contact-filter.ts';
import type { Media, MediaSource } from './media-source.ts';
import { Reopening } from './reopening.ts';

/** The settings of the same names (README.md). */
export interface ReaderSettings extends CallEndSettings {
  /** A connection this old gets a successor before the service ends it. */
  readonly rotateAfterMs: Millis;
}

export interface ReaderOptions {
  /**
   * Takes audio in stream order, each block once, and the last fragment received completely. The blocks are valid until
   * it returns or its promise resolves; a promise holds the stream back until it resolves.
   */
  readonly forward: (blocks: readonly AudioBlock[], position: Position | undefined) => Promise<void> | undefined;
  readonly timers: TimerWheel;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: SessionMetrics;
  /** Reports trouble that may cost audio: the likely cause of the next gap. */
  readonly onTrouble: (cause: HoleCause) => void;
  /** Ends the reading; what was read so far has been forwarded. */
  readonly signal: AbortSignal;
  readonly settings: ReaderSettings;
}

/**
 * Forwards the contact's audio as it arrives, across as many GetMedia connections as it takes, starting with `first`.
 * Returns why it ended; throws KinesisRefused when Kinesis refuses the stream for good, and what `forward` throws.
 */
export async function readContact(
  first: Media,
  contact: Contact,
  kinesis: MediaSource,
  options: ReaderOptions,
): Promise<EndOfContact> {
  const { timers, log, onTrouble, settings } = options;
  const callEnd = new CallEnd(settings);
  const filter = new ContactFilter(contact, (why, detail) => {
    log.warn({ event: 'kinesis.withheld', why, detail }, 'audio of the stream was not forwarded');
    onTrouble(why);
  });
  const reopening = new Reopening(contact, kinesis, { ...options, clock: timers, readStallMs: settings.readStallMs });
  const openSuccessor = (signal: AbortSignal) => reopening.open(filter.position, signal);
  const common = { ...options, filter, openSuccessor, rotateAfterMs: settings.rotateAfterMs, stallMs: callEnd.stallMs };
  let media: Media | undefined = first;
  let patienceMs = callEnd.stallMs;
  let emptyAttempts = 0;
  let lastAudioAtMs = timers.now();
  while (media) {
    const connection: ConnectionOutcome = await new Connection(media, { ...common, patienceMs }).read();
    const { how, streamError, successor } = connection;
    lastAudioAtMs = connection.lastAudioAtMs ?? lastAudioAtMs;
    const receivedAudio = connection.lastAudioAtMs !== undefined;
    const nowMs = timers.now();
    const decision = callEnd.afterConnection({ how, receivedAudio, lastAudioAtMs, emptyAttempts, nowMs });
    if (decision.isOver) return decision.reason;
    ({ emptyAttempts, patienceMs } = decision);
    media = successor ?? (await reopening.reopen({ position: filter.position, emptyAttempts, streamError }));
  }
  return 'stopped';
}
