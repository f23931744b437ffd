import { AGENT, type Channel, CUSTOMER } from '../contract/audio-format.ts';
import type { GapEvent, SessionEnded, SessionResumed, SessionStarted } from '../contract/events.ts';
import { SPEAKERS } from '../contract/events.ts';
import type { Millis } from '../runtime/clock.ts';
import { SHIFT_MS } from './alignment.ts';
import { ChannelTranscript } from './channel-transcript.ts';
import { type Moment, type Result, readMoment, readResult } from './deepgram-result.ts';
import type { ChannelTimes, EventLog, RelayState } from './event-log.ts';
import { rebased } from './rebase.ts';

/** The facts of a call that its first event tells. */
export type SessionFacts = Omit<SessionStarted, 'type'>;
/** What the last event says of the call; the number of finals is known here. */
type EndFacts = Omit<SessionEnded, 'type' | 'finals'>;
type GapFacts = Omit<GapEvent, 'type' | 'sequences'>;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Turns what Deepgram returns for a session into its events: times of the call, every final word once, no matter how
 * many connections it takes (README.md, "Exactly once"). It has no sockets and no timers.
 */
export class Relay implements RelayState {
  readonly #log: EventLog;
  readonly #channels: readonly [ChannelTranscript, ChannelTranscript];
  /** The connection of the latest message; undefined before the first. */
  #connection: number | undefined;
  /** Up to where hints of each kind and channel have been passed on. */
  readonly #hintedMs = new Map<string, Millis>();
  #finals: number;

  /**
   * @param log where the session's events go; a session that is continued begins with its state
   * @param state what is known of the call, if not what the log's latest event said
   */
  constructor(log: EventLog, state: RelayState | undefined = log.state) {
    this.#log = log;
    const channelOf = (channel: Channel) =>
      new ChannelTranscript(state?.finalMs[channel] ?? 0, state?.lastWords[channel] ?? []);
    this.#channels = [channelOf(CUSTOMER), channelOf(AGENT)];
    this.#finals = state?.finals ?? 0;
  }

  /** The end of what is final, per channel. */
  get finalMs(): ChannelTimes {
    const [customer, agent] = this.#channels;
    return [customer.finalMs, agent.finalMs];
  }

  get lastWords(): RelayState['lastWords'] {
    const [customer, agent] = this.#channels;
    return [customer.lastWords, agent.lastWords];
  }

  /** Final transcripts so far. */
  get finals(): number {
    return this.#finals;
  }

  started(facts: SessionFacts): void {
    this.#log.append({ type: 'session.started', ...facts }, this);
  }

  /** The session continues with another epoch: what begins at or after `from` comes again. */
  resumed(facts: SessionFacts, [customer, agent]: ChannelTimes, cause: SessionResumed['cause']): void {
    this.#log.append({ type: 'session.resumed', ...facts, from: { CUSTOMER: customer, AGENT: agent }, cause }, this);
  }

  gap(facts: GapFacts): void {
    this.#log.append({ type: 'gap', ...facts }, this);
  }

  /**
   * Call this last.
   * @param mayResume another process may continue the session all the same
   */
  ended(facts: EndFacts, mayResume = false): void {
    this.#log.append({ type: 'session.ended', ...facts, finals: this.#finals }, this, mayResume);
  }

  /**
   * Takes a message of the session's connection with this number (1, 2 …), whose time 0 is at `offsetMs` of the call.
   * Messages of unknown types are ignored.
   * @param sentMs how far the call was sent on the connection: moments beyond count as this one. Otherwise one wrong time
   *   would make everything that follows seem to be repeated
   */
  take(message: unknown, offsetMs: Millis, connection: number, sentMs: Millis = Infinity): void {
    if (typeof message !== 'object' || message === null) return;
    this.#noteConnection(connection, offsetMs);
    const fields = message as Fields;
    if (fields['type'] === 'Results') {
      const result = readResult(fields, offsetMs, sentMs);
      if (result?.isFinal) this.#final(result, rebased(fields, offsetMs), connection);
      else if (result) this.#interim(result, connection);
    } else if (fields['type'] === 'UtteranceEnd') {
      this.#hint('utterance.ended', readMoment(fields, 'last_word_end', offsetMs, sentMs));
    } else if (fields['type'] === 'SpeechStarted') {
      this.#hint('speech.started', readMoment(fields, 'timestamp', offsetMs, sentMs));
    }
  }

  #noteConnection(connection: number, offsetMs: Millis): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    // The call's first connection repeats nothing.
    if (connection > 1) for (const channel of this.#channels) channel.reconnected(offsetMs);
  }

  #final(result: Result, deepgram: Fields, connection: number): void {
    const { channel, confidence, speechFinal } = result;
    const fresh = this.#channels[channel].final(result);
    if (!fresh) return;
    this.#finals++;
    const { startMs, endMs, text, words, dropped } = fresh;
    this.#log.append(
      {
        type: 'transcript',
        final: true,
        speechFinal,
        speaker: SPEAKERS[channel],
        startMs,
        endMs,
        text,
        confidence,
        connection,
        words,
        dropped,
        deepgram,
      },
      this,
    );
  }

  #interim(result: Result, connection: number): void {
    const { channel, confidence } = result;
    const fresh = this.#channels[channel].interim(result);
    if (!fresh) return;
    const { startMs, endMs, text } = fresh;
    const speaker = SPEAKERS[channel];
    this.#log.hint({ type: 'transcript', final: false, speaker, startMs, endMs, text, confidence, connection });
  }

  /** A new connection repeats moments too: only later ones are passed on. */
  #hint(type: 'utterance.ended' | 'speech.started', moment: Moment | undefined): void {
    if (!moment) return;
    const { channel, atMs } = moment;
    const key = `${type} ${channel}`;
    const earlierMs = this.#hintedMs.get(key);
    if (earlierMs !== undefined && atMs <= earlierMs + SHIFT_MS) return;
    this.#hintedMs.set(key, atMs);
    this.#log.hint({ type, speaker: SPEAKERS[channel], atMs });
  }
}
