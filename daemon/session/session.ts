import type { AudioRun } from '../audio/audio-run.ts';
import { LONGEST_RUN_MS } from '../audio/interleave.ts';
import { Pacer, REALTIME_MESSAGE_MS } from '../audio/pacer.ts';
import type { AudioBlock } from '../audio/pcm.ts';
import type { SessionIdentity } from '../checkpoints/checkpoint.ts';
import { SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { SessionState, SessionView, TimelineEntry } from '../contract/control-api.ts';
import { maskedParams } from '../contract/deepgram-params.ts';
import type { Link } from '../deepgram/link.ts';
import type { Position } from '../kinesis/contact.ts';
import type { Media } from '../kinesis/media-source.ts';
import { readContact } from '../kinesis/reader.ts';
import type { Trouble } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import type { SessionDeps } from './deps.ts';
import { reportEnd } from './end-report.ts';
import { GapReporter } from './gap-report.ts';
import { type Opened, openBoth } from './opening.ts';
import { NoAudio, type Outcome } from './outcome.ts';
import { Reading } from './reading.ts';
import { RepetitionReporter } from './repetition-report.ts';
import { ResumeTracker } from './resume-tracker.ts';
import { identityOf, type SessionSeed, type StartingPoint, startingPointOf } from './seed.ts';
import { Timeline } from './session-log.ts';
import type { Transcript } from './transcript.ts';
import { viewOf } from './view.ts';

/** How long a session that is stopped waits for Deepgram's last results: a drain has a deadline. */
const STOP_WITHIN_MS: Millis = 10_000;

/** The transcription of one contact. Wires reader -> aligner -> link. */
export class Session {
  /** Resolves when the session has ended; never rejects. */
  readonly ended: Promise<Outcome>;
  readonly #identity: SessionIdentity;
  readonly #deps: SessionDeps;
  readonly #log: Timeline;
  readonly #link: Link;
  readonly #resumable: ResumeTracker;
  readonly #gaps: GapReporter;
  readonly #repetitions: RepetitionReporter;
  /** Undefined if the session's events go nowhere. */
  readonly #transcript: Transcript | undefined;
  readonly #stop = new AbortController();
  readonly #startedAtMs: Millis;
  readonly #pacer: Pacer | undefined;
  readonly #longestMs: Millis;
  readonly #ending = Promise.withResolvers<void>();
  #reading: Reading;
  #state: SessionState = 'running';
  #hasSentAudio = false;
  #continues = false;

  /**
   * Resolves once Kinesis has answered, Deepgram's socket is open, and the session would survive a crash, if its disk
   * works. Throws KinesisRefused, DeepgramRefused, DeepgramUnreachable or the signal's reason, and then leaves nothing
   * open.
   */
  static async start(seed: SessionSeed, deps: SessionDeps, signal: AbortSignal): Promise<Session> {
    const { sessionId, traceId, request } = identityOf(seed);
    const log = new Timeline(
      deps.log.child({ sessionId, contactId: request.contactId, traceId }),
      deps.clock,
      request.dgParams,
    );
    const session = new Session(seed, deps, log, await openBoth(seed, deps, log, signal));
    const saved = session.#resumable.begin(deps.timers);
    // A session that resumes has its checkpoint already.
    if (seed.kind === 'new') await saved;
    return session;
  }

  private constructor(seed: SessionSeed, deps: SessionDeps, log: Timeline, { media, link, transcript }: Opened) {
    const { sessionId, traceId, request, timeZeroEpochMs } = identityOf(seed);
    const start = startingPointOf(seed);
    this.#identity = { sessionId, traceId, request, timeZeroEpochMs };
    this.#deps = deps;
    this.#log = log;
    this.#link = link;
    this.#repetitions = new RepetitionReporter(log, deps.metrics, deps.timers);
    this.#transcript = transcript;
    this.#gaps = new GapReporter(log, deps.metrics, transcript && ((gap) => transcript.gap(gap)), start);
    this.#startedAtMs = deps.clock.now();
    this.#pacer = request.enforceRealtime ? new Pacer(deps.clock) : undefined;
    this.#longestMs = this.#pacer ? REALTIME_MESSAGE_MS : LONGEST_RUN_MS;
    this.#reading = this.#readFrom(start);
    this.#resumable = new ResumeTracker(this.#identity, start.position, this.#reading.aligner, {
      link,
      gaps: this.#gaps,
      checkpoints: deps.checkpoints,
    });
    // What is paced may not come faster when it is read again.
    if (!this.#pacer) link.repeatBy(() => this.#goBack());
    void link.ended.then(() => this.#stop.abort());
    deps.metrics.sessionStarted(seed.kind === 'new' ? 'start' : 'checkpoint');
    this.#log.info(
      {
        event: 'session.started',
        kinesisRequestId: media.requestId,
        deepgramRequestId: link.stats().requestIds[0],
        params: Object.keys(request.dgParams),
        callMs: start.callMs,
        initialContactId: request.contact?.initialContactId,
        previousContactId: request.contact?.previousContactId,
      },
      seed.kind === 'new' ? 'the session started' : 'the session resumed from its checkpoint',
    );
    this.ended = this.#run(media).then((outcome) => this.#end(outcome));
  }

  get sessionId(): string {
    return this.#identity.sessionId;
  }

  /**
   * Ends the session before the call ends: sends what was read and waits up to 10 s for Deepgram's last results.
   * @param continues another process may resume the session
   */
  stop({ continues = false } = {}): void {
    this.#continues ||= continues;
    this.#stop.abort();
    this.#link.endWithin(STOP_WITHIN_MS);
  }

  /** Resolves when every event of the ended session is delivered or a dead letter. Never rejects. */
  async delivered(): Promise<void> {
    await this.#transcript?.delivered();
  }

  /** Resolves when the whole call is read and only Deepgram's last results are missing. */
  get ending(): Promise<void> {
    return this.#ending.promise;
  }

  /** Parameters, with secrets masked, and latest events. */
  details(): { params: Record<string, string | string[]>; timeline: readonly TimelineEntry[] } {
    return { params: maskedParams(this.#identity.request.dgParams), timeline: this.#log.entries };
  }

  get lagMs(): Millis {
    return this.#link.lagMs;
  }

  view(): SessionView {
    return viewOf({
      identity: this.#identity,
      state: this.#state,
      ageMs: this.#deps.clock.now() - this.#startedAtMs,
      link: this.#link.stats(),
      gapMs: this.#gaps.totalMs(this.#reading.aligner.gapMs),
      repeatedMs: this.#repetitions.totalMs(this.#reading.aligner.repeatedMs),
    });
  }

  async #run(media: Media): Promise<Outcome> {
    let outcome = await this.#runOnce(this.#reading, media);
    while (!outcome) outcome = await this.#runOnce(this.#reading);
    return outcome;
  }

  /** Reads the call and waits for its last results; undefined if it must be read again. */
  async #runOnce(reading: Reading, media?: Media): Promise<Outcome | undefined> {
    const outcome = await this.#readAll(reading, media);
    if (reading.isReplaced) return undefined;
    // From here on the aligner fills in silence for audio that was not read: no place to resume.
    this.#resumable.freeze();
    try {
      // After a failure too, everything that was read is sent.
      await reading.settleTimer.stop();
      reading.aligner.finish();
      await this.#sendAligned(reading);
      if (reading.isReplaced) return undefined;
      this.#enter('ending');
      this.#log.info({ event: 'session.ending' }, "the whole call is read: waiting for Deepgram's last results");
      await Promise.race([this.#link.finish(), reading.replaced]);
      if (reading.isReplaced) return undefined;
      return this.#receivedNothing(outcome) ? { name: 'failed', error: new NoAudio() } : outcome;
    } catch (error) {
      this.#link.abandon();
      return outcome.name === 'failed' ? outcome : { name: 'failed', error };
    }
  }

  /** A session that is stopped may not have had time to receive audio. */
  #receivedNothing(outcome: Outcome): boolean {
    const isEmpty = !this.#hasSentAudio && this.#reading.aligner.positionMs === 0;
    return outcome.name === 'completed' && outcome.reason !== 'stopped' && isEmpty;
  }

  async #readAll(reading: Reading, media: Media | undefined): Promise<Outcome> {
    const { kinesis, timers, random, metrics, settings } = this.#deps;
    const { contactId, kvsStream } = this.#identity.request;
    const contact = { contactId, streamArn: kvsStream.arn, start: reading.position };
    try {
      const reason = await readContact(media, contact, kinesis, {
        forward: (blocks, position) => this.#forward(reading, blocks, position),
        timers,
        random,
        log: this.#log,
        metrics,
        onTrouble: (cause) => {
          if (!reading.isReplaced) this.#noteTrouble(cause);
        },
        onLost: (cause, missingMs) => {
          if (!reading.isReplaced) this.#gaps.lost(cause, missingMs);
        },
        signal: reading.signal,
        settings,
      });
      return { name: 'completed', reason };
    } catch (error) {
      return { name: 'failed', error };
    }
  }

  #readFrom(start: Omit<StartingPoint, 'connections'>): Reading {
    const { timers, settings } = this.#deps;
    return new Reading(start, {
      alignWaitMs: settings.alignWaitMs,
      timers,
      buffer: this.#link.buffer,
      stop: this.#stop.signal,
      send: (reading) => this.#sendAligned(reading),
    });
  }

  /**
   * A connection to Deepgram was lost when the next one must repeat more than is kept here: has Kinesis repeat it, from
   * where a crash would resume. Returns where in the call that is; undefined if the session is to stop.
   */
  #goBack(): Millis | undefined {
    if (this.#stop.signal.aborted) return undefined;
    const point = this.#resumable.resumePoint();
    const { audioMs } = this.#link.stats();
    this.#log.info(
      { event: 'audio.reread', callMs: point.callMs, audioMs },
      'Deepgram may need more audio again than is kept here: reading it again from Kinesis',
    );
    this.#reading.replace();
    this.#reading = this.#readFrom(point);
    this.#resumable.restart(point, this.#reading.aligner);
    this.#gaps.restart();
    this.#repetitions.restart();
    return point.callMs;
  }

  #forward(reading: Reading, blocks: readonly AudioBlock[], position: Position | undefined): Promise<void> | undefined {
    if (reading.isReplaced) return undefined;
    const { aligner, settleTimer } = reading;
    for (const block of blocks) {
      this.#deps.metrics.audioReceived(block.channel, block.pcm.length);
      aligner.add(block);
    }
    const last = blocks.at(-1);
    // Paced audio waits on purpose.
    if (last && aligner.hasBegun && !this.#pacer) this.#link.liveEdge.arrived(aligner.reachMs, last.arrivedAtMs);
    const sent = settleTimer.afterSending(() => this.#sendAligned(reading));
    if (sent) return sent.then(() => this.#forwarded(reading, position));
    this.#forwarded(reading, position);
    return undefined;
  }

  #noteTrouble(cause: Trouble): void {
    this.#gaps.note(cause);
    if (cause === 'not-streamed') this.#link.liveEdge.restart();
  }

  #forwarded(reading: Reading, position: Position | undefined): void {
    if (reading.isReplaced) return;
    reading.aligner.keep();
    this.#resumable.note(position);
  }

  /** Sends the aligned part of the call. Its promise holds back the stream (daemon/README.md, decision 7). */
  #sendAligned(reading: Reading): Promise<void> | undefined {
    if (reading.isReplaced) return undefined;
    const { aligner } = reading;
    for (let run = aligner.take(this.#longestMs); run; run = aligner.take(this.#longestMs)) {
      this.#gaps.took(aligner, run.frames.length / SAMPLES_PER_MS);
      const sent = this.#sendPaced(reading, run);
      // Usually undefined: a promise per read and call would cost too much.
      if (sent) return sent.then(() => this.#resumeSending(reading));
    }
    reading.settleTimer.set();
    this.#gaps.check(aligner);
    this.#gaps.checkChannels(aligner);
    this.#repetitions.check(aligner);
    return undefined;
  }

  /** There is room again. */
  #resumeSending(reading: Reading): Promise<void> | undefined {
    if (!this.#pacer) reading.settleTimer.noteHold();
    return this.#sendAligned(reading);
  }

  /** A promise to wait for before sending more; undefined if there is room. */
  #sendPaced({ aligner }: Reading, run: AudioRun): Promise<void> | undefined {
    if (!this.#pacer) return this.#send(run);
    const endMs = aligner.positionMs;
    return this.#pacer.turn(run.frames.length / SAMPLES_PER_MS, this.#stop.signal).then((dueMs) => {
      this.#link.liveEdge.paced(endMs, dueMs);
      return this.#send(run);
    });
  }

  #send(run: AudioRun): Promise<void> | undefined {
    if (!this.#hasSentAudio) this.#log.info({ event: 'audio.first' }, 'sending the first audio of the call');
    this.#hasSentAudio = true;
    return this.#link.send(run);
  }

  #end(outcome: Outcome): Outcome {
    this.#enter('ended');
    const { aligner } = this.#reading;
    this.#repetitions.finish(aligner);
    this.#gaps.finish(aligner);
    const view = this.view();
    const unsentMs = Math.max(0, Math.round(aligner.reachMs - view.audioMs));
    const { unfinishedMs } = this.#link;
    reportEnd({ outcome, view, unsentMs, unfinishedMs }, this.#log, this.#deps.metrics);
    const { audioMs, gapMs } = view;
    const { notFinal } = this.#link;
    const mayResume = this.#continues;
    this.#transcript?.ended({ outcome, audioMs, gapMs, unsentMs, unfinishedMs, notFinal, mayResume });
    return outcome;
  }

  #enter(state: 'ending' | 'ended'): void {
    this.#state = state;
    this.#ending.resolve();
  }
}
