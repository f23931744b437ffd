import { AGENT, type Channel, CUSTOMER } from '../contract/audio-format.ts';
import { type GapEvent, type SessionEnded, SPEAKERS } from '../contract/events.ts';
import type { ChannelPart, MissingCause } from '../deepgram/final-audio.ts';
import type { ResultsRelay } from '../deepgram/replay-window.ts';
import type { Log } from '../log/log.ts';
import type { ChannelTimes, EventLog } from '../results/event-log.ts';
import { Relay, type SessionFacts } from '../results/relay.ts';
import type { Millis } from '../runtime/clock.ts';
import type { EventsOpener } from './deps.ts';
import type { Outcome } from './outcome.ts';
import { identityOf, type SessionSeed, startingPointOf } from './seed.ts';

/** Its last events were on a disk that another boot or instance does not have. */
const INSTANCE_LOST = 'instance-lost';
/** A drain's deadline had ended it. */
const INTERRUPTED = 'interrupted';

/** A gap of both channels. */
interface Gap {
  readonly cause: GapEvent['cause'];
  readonly startMs: Millis;
  readonly endMs: Millis;
  /** Undefined: both. */
  readonly channel?: Channel;
}

/** How a session ended, in ms of the call. */
interface End {
  readonly outcome: Outcome;
  readonly audioMs: Millis;
  readonly gapMs: Millis;
  readonly unsentMs: Millis;
  readonly unfinishedMs: Millis;
  /** Sent audio without a final result; empty where Deepgram posts results by itself. */
  readonly notFinal: readonly ChannelPart[];
  /** The process ends before the call: another one may resume the session. Usually none does. */
  readonly mayResume: boolean;
}

/** A session's events, from `session.started` to `session.ended` (daemon/results/README.md). */
export class Transcript implements ResultsRelay {
  readonly #relay: Relay;
  readonly #events: EventLog;
  readonly #log: Log;

  /** Opens the events of a session that has started; undefined when they go nowhere, or had ended. Never rejects. */
  static async open(seed: SessionSeed, results: EventsOpener, log: Log): Promise<Transcript | undefined> {
    const events = await results.openEvents(identityOf(seed), { isResumed: seed.kind === 'resumed' });
    return events && !events.hasEnded ? new Transcript(seed, events, log) : undefined;
  }

  private constructor(seed: SessionSeed, events: EventLog, log: Log) {
    this.#events = events;
    this.#log = log;
    const { callMs } = startingPointOf(seed);
    const unknown = { finalMs: [callMs, callMs], lastWords: [[], []], finals: 0 } as const;
    this.#relay = new Relay(events, events.state ?? unknown);
    if (events.sequence > 0) return;
    const facts = factsOf(seed);
    if (events.epoch === 1) this.#relay.started(facts);
    else this.#relay.resumed(facts, this.#relay.finalMs, events.wasInterrupted ? INTERRUPTED : INSTANCE_LOST);
  }

  /** How far each channel is final. */
  get finalMs(): ChannelTimes {
    return this.#relay.finalMs;
  }

  /** Resolves when every event is delivered or a dead letter, once the session has ended. Never rejects. */
  delivered(): Promise<void> {
    return this.#events.drained();
  }

  /** Takes a message of Deepgram's, as Relay.take does. */
  take(...message: Parameters<Relay['take']>): void {
    this.#relay.take(...message);
  }

  gap({ cause, startMs, endMs, channel }: Gap): void {
    const channels = channel === undefined ? [...SPEAKERS] : [SPEAKERS[channel]];
    this.#relay.gap({ cause, ...rounded(startMs, endMs), channels });
  }

  /** Deepgram gave no final for speech that cannot be repeated anymore. */
  missing(cause: MissingCause, part: ChannelPart): void {
    this.#partGap(cause, part);
    const { channel, fromMs: startMs, toMs: endMs } = part;
    const fields = { event: 'deepgram.no-final', cause, speaker: SPEAKERS[channel], startMs, endMs };
    this.#log.warn(fields, 'Deepgram returned no final result for speech');
  }

  /** The session's last event. */
  ended({ outcome, audioMs, gapMs, unsentMs, unfinishedMs, notFinal, mayResume }: End): void {
    if (unsentMs > 0) this.gap({ cause: 'unsent', startMs: audioMs, endMs: audioMs + unsentMs });
    if (unfinishedMs > 0) {
      const both = [CUSTOMER, AGENT].map((channel) => ({ channel, fromMs: audioMs - unfinishedMs, toMs: audioMs }));
      for (const part of notFinal.length > 0 ? notFinal : (both as ChannelPart[])) this.#partGap('unfinished', part);
    }
    const isCutOff = mayResume && outcome.name === 'completed' && outcome.reason === 'stopped';
    const counts = {
      durationMs: Math.round(audioMs),
      gapMs: Math.max(0, Math.round(gapMs)),
      unfinishedMs: Math.round(unfinishedMs),
    };
    const how = isCutOff ? ({ outcome: 'failed', reason: INTERRUPTED } as const) : howOf(outcome);
    this.#relay.ended({ ...how, ...counts }, mayResume);
  }

  #partGap(cause: GapEvent['cause'], { channel, fromMs, toMs }: ChannelPart): void {
    this.#relay.gap({ cause, ...rounded(fromMs, toMs), channels: [SPEAKERS[channel]] });
  }
}

function factsOf(seed: SessionSeed): SessionFacts {
  const { request, timeZeroEpochMs } = identityOf(seed);
  const { contact, dgParams } = request;
  return {
    ...(contact && { contact }),
    startedAt: new Date(timeZeroEpochMs).toISOString(),
    model: firstOf(dgParams['model']),
    language: firstOf(dgParams['language']),
  };
}

function firstOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

function howOf(outcome: Outcome): Pick<SessionEnded, 'outcome' | 'reason'> {
  if (outcome.name === 'completed') return { outcome: 'completed', reason: outcome.reason };
  return { outcome: 'failed', reason: nameOf(outcome.error) };
}

/** An error's message may quote the flow's attributes. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

function rounded(startMs: Millis, endMs: Millis): { readonly startMs: Millis; readonly endMs: Millis } {
  return { startMs: Math.max(0, Math.round(startMs)), endMs: Math.max(0, Math.round(endMs)) };
}
