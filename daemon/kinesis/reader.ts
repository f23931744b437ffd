import type { AudioBlock } from '../audio/pcm.ts';
import type { GapCause } from '../contract/gap-causes.ts';
import type { Log } from '../log/log.ts';
import type { SessionMetrics, Trouble } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import { CallEnd, type CallEndSettings, type EndOfContact } from './call-end.ts';
import { Connection, type ConnectionOutcome } from './connection.ts';
import type { Contact, Position } from './contact.ts';
import { DiscardLog } from './discard-log.ts';
import { ContactFilter, type DiscardReason } from './filter/contact-filter.ts';
import type { Media, MediaSource } from './media-source.ts';
import { Reopening } from './reopening.ts';
import { Silence } from './silence.ts';

/** The settings of the same names (daemon/SETTINGS.md). */
export interface ReaderSettings extends CallEndSettings {
  /** A connection this old gets a successor before the service ends it. */
  readonly rotateAfterMs: Millis;
}

interface ReaderOptions {
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
  readonly onTrouble: (cause: Trouble) => void;
  /** Reports audio of the call that is missing where no later audio shows it: before its beginning, or at its end. */
  readonly onLost: (cause: GapCause, missingMs: Millis) => void;
  /** Ends the reading; what was read so far has been forwarded. */
  readonly signal: AbortSignal;
  readonly settings: ReaderSettings;
}

/**
 * Forwards the contact's audio as it arrives, across as many GetMedia connections as it takes, starting with `first`, or
 * with one that it opens.
 * Returns why it ended; throws KinesisRefused when Kinesis refuses the stream for good, and what `forward` throws.
 */
export async function readContact(
  first: Media | undefined,
  contact: Contact,
  kinesis: MediaSource,
  options: ReaderOptions,
): Promise<EndOfContact> {
  const { timers, log, onTrouble, onLost } = options;
  const discards = new DiscardLog(log, timers);
  const onDiscard = (why: DiscardReason, detail: string) => {
    discards.discarded(why, detail);
    onTrouble(why);
  };
  const onRestart = () => onTrouble('not-streamed');
  const filter = new ContactFilter(contact, onDiscard, onRestart, (ms) => onLost('missed-at-start', ms));
  try {
    return await readAll(first, { contact, kinesis, filter, options });
  } finally {
    filter.finish();
    const rest = filter.take();
    if (rest.length > 0) await options.forward(rest, filter.position);
    if (filter.withheldAtEndMs > 0) onLost('withheld-at-end', filter.withheldAtEndMs);
  }
}

interface Reading {
  readonly contact: Contact;
  readonly kinesis: MediaSource;
  readonly filter: ContactFilter;
  readonly options: ReaderOptions;
}

async function readAll(
  first: Media | undefined,
  { contact, kinesis, filter, options }: Reading,
): Promise<EndOfContact> {
  const { timers, settings } = options;
  const callEnd = new CallEnd(settings);
  const reopening = new Reopening(contact, kinesis, options);
  const openSuccessor = (signal: AbortSignal) => reopening.open(filter.position, signal);
  const common = { ...options, filter, openSuccessor, rotateAfterMs: settings.rotateAfterMs, stallMs: callEnd.stallMs };
  const silence = new Silence(reopening.outage, timers.awakeMs);
  let media = first ?? (await reopening.reopen({ position: undefined, emptyAttempts: 0, streamError: undefined }));
  let silenceLimitMs = callEnd.stallMs;
  let emptyAttempts = 0;
  let isByNumber = false;
  while (media) {
    // Time in which nothing could be read is not silence.
    const openedAtMs = timers.awakeMs;
    const { progress } = filter;
    filter.readFrom(isByNumber || media.isByNumber === true);
    const connection: ConnectionOutcome = await new Connection(media, { ...common, silenceLimitMs }).read();
    const { how, streamError, successor, rewindToMs } = connection;
    // Audio without progress is a repeat: whatever is in the bytes, it must not keep the session running.
    const receivedAudio = connection.lastAudioAtMs !== undefined && filter.progress !== progress;
    silence.noteConnection({
      audioAtMs: receivedAudio ? connection.lastAudioAtMs : undefined,
      openedAtMs,
      streamError,
    });
    const nowMs = timers.awakeMs;
    const lastAudioAtMs = silence.sinceMs(nowMs);
    const wasRefused = streamError !== undefined;
    const decision = callEnd.afterConnection({ how, wasRefused, receivedAudio, lastAudioAtMs, emptyAttempts, nowMs });
    if (decision.isOver) return decision.reason;
    ({ emptyAttempts, silenceLimitMs } = decision);
    if (rewindToMs !== undefined) reopening.rewind(rewindToMs);
    const { position } = filter;
    // A StartTimestamp ahead of the producer's clock would be waited for while the call goes by.
    isByNumber = position === undefined && emptyAttempts % 2 === 1;
    media = successor ?? (await reopening.reopen({ position, emptyAttempts, streamError, isByNumber }));
  }
  return 'stopped';
}
