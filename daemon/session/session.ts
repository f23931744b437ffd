import { Aligner, type Piece } from '../audio/aligner.ts';
import { Pacer, REALTIME_MESSAGE_MS } from '../audio/pacer.ts';
import type { AudioBlock } from '../audio/pcm.ts';
import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import type { CheckpointSource } from '../checkpoints/checkpoints.ts';
import { BYTES_PER_MS } from '../contract/audio-format.ts';
import type { SessionState, SessionView, TimelineEntry } from '../contract/control-api.ts';
import { maskedParams } from '../contract/deepgram-params.ts';
import type { StartRequest } from '../contract/start-request.ts';
import type { TraceId } from '../contract/traceparent.ts';
import type { Link } from '../deepgram/link.ts';
import type { Media } from '../kinesis/client.ts';
import type { Position } from '../kinesis/contact.ts';
import { type EndOfContact, readContact } from '../kinesis/reader.ts';
import { errorFields } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';
import type { SessionDeps } from './deps.ts';
import { GapCauseTracker } from './gap-cause.ts';
import { type Opened, openBoth } from './opening.ts';
import { Progress } from './progress.ts';
import { Timeline } from './session-log.ts';
import { describedBy, type Outcome } from './view.ts';

/** The stream gave nothing that carries the contact's id. */
export class NoAudio extends Error {
  override readonly name = 'NoAudio';

  constructor() {
    super('No audio of this contact came from its stream: is it this stream, and did media streaming start?');
  }
}

/** The transcription of one contact: reader -> aligner -> link, wired here and nowhere else. */
export class Session {
  readonly sessionId: string;
  readonly contactId: string;
  readonly traceId: TraceId;
  /** Resolves when the session is over; never rejects. */
  readonly ended: Promise<Outcome>;
  readonly #ending = Promise.withResolvers<void>();
  readonly #deps: SessionDeps;
  readonly #request: StartRequest;
  readonly #log: Timeline;
  readonly #link: Link;
  readonly #aligner: Aligner;
  readonly #start: Checkpoint['position'];
  readonly #progress: Progress;
  readonly #checkpointSource: CheckpointSource;
  readonly #gapCause = new GapCauseTracker();
  readonly #stop = new AbortController();
  readonly #startedAtMs: Millis;
  readonly #pacer: Pacer | undefined;
  readonly #longestMs: Millis;
  #state: SessionState = 'running';
  #isHeard = false;
  #loggedHoleMs: Millis = 0;

  /**
   * Starts the session: resolves once Kinesis has answered and Deepgram's socket is open, and not before.
   * Throws KinesisRefused, DeepgramRefused, DeepgramUnreachable, or the signal's reason; nothing is left open then.
   */
  static async start(beginning: Checkpoint, deps: SessionDeps, signal: AbortSignal): Promise<Session> {
    const { sessionId, traceId, request } = beginning;
    const log = new Timeline(
      deps.log.child({ sessionId, contactId: request.contactId, traceId }),
      deps.clock,
      request.dgParams,
    );
    return new Session(beginning, deps, log, await openBoth(beginning, deps, log, signal));
  }

  private constructor(beginning: Checkpoint, deps: SessionDeps, log: Timeline, { media, link }: Opened) {
    const { sessionId, traceId, request, position, callMs, callClock } = beginning;
    this.sessionId = sessionId;
    this.traceId = traceId;
    this.contactId = request.contactId;
    this.#start = position;
    this.#progress = new Progress(position);
    this.#checkpointSource = { sessionId, traceId, request, resumePoint: () => this.#resumePoint() };
    this.#request = request;
    this.#deps = deps;
    this.#log = log;
    this.#link = link;
    this.#startedAtMs = deps.clock.now();
    this.#pacer = request.enforceRealtime ? new Pacer(deps.clock) : undefined;
    this.#longestMs = this.#pacer ? REALTIME_MESSAGE_MS : deps.settings.messageMs;
    this.#aligner = new Aligner(deps.settings.alignWaitMs, link.tape, callClock && { callMs, callClock });
    void link.ended.then(() => this.#stop.abort());
    deps.metrics.sessionStarted(beginning.connections === 0 ? 'start' : 'checkpoint');
    this.#log.info(
      {
        event: 'session.started',
        kinesisRequestId: media.requestId,
        deepgramRequestId: link.stats().requestIds[0],
        params: Object.keys(request.dgParams),
        callMs,
      },
      beginning.connections === 0 ? 'the session runs' : 'the session goes on after a crash',
    );
    this.ended = this.#run(media).then((outcome) => this.#end(outcome));
  }

  /** Ends the session before the call does: what was read is sent, and Deepgram's last results are awaited. */
  stop(): void {
    this.#stop.abort();
  }

  /** Resolves when all of the call is read, and only Deepgram's last results are awaited. */
  get ending(): Promise<void> {
    return this.#ending.promise;
  }

  /** What happened to it so far, and what it was asked for, with secrets masked. */
  details(): { params: Record<string, string | string[]>; timeline: readonly TimelineEntry[] } {
    return { params: maskedParams(this.#request.dgParams), timeline: this.#log.entries };
  }

  view(): SessionView {
    const { requestIds, ...stats } = this.#link.stats();
    return {
      sessionId: this.sessionId,
      contactId: this.contactId,
      traceId: this.traceId,
      state: this.#state,
      ageMs: this.#deps.clock.now() - this.#startedAtMs,
      ...stats,
      holeMs: this.#aligner.holeMs,
      reconnects: requestIds.length - 1,
      deepgramRequestIds: requestIds,
      ...describedBy(this.#request.dgParams),
    };
  }

  async #run(media: Media): Promise<Outcome> {
    let outcome: Outcome;
    try {
      outcome = { name: 'completed', reason: await this.#readAll(media) };
    } catch (error) {
      outcome = { name: 'failed', error };
    }
    // From here on silence stands in for what was not read, and that is no place to go on from.
    this.#deps.checkpoints?.freeze(this.sessionId);
    try {
      // What was read before a failure is worth as much as any other part of the call.
      this.#aligner.finish();
      await this.#forward();
      this.#state = 'ending';
      this.#ending.resolve();
      this.#log.info({ event: 'session.ending' }, "all of the call is read; waits for Deepgram's last results");
      await this.#link.finish();
      if (outcome.name === 'completed' && this.#aligner.positionMs === 0)
        return { name: 'failed', error: new NoAudio() };
      return outcome;
    } catch (error) {
      this.#link.abandon();
      return outcome.name === 'failed' ? outcome : { name: 'failed', error };
    }
  }

  #readAll(media: Media): Promise<EndOfContact> {
    const { kinesis, clock, timers, metrics, settings } = this.#deps;
    const contact = { contactId: this.contactId, streamArn: this.#request.kvsStream.arn, start: this.#start };
    return readContact(media, contact, kinesis, {
      forward: (blocks, position) => this.#hear(blocks, position),
      clock,
      timers,
      log: this.#log,
      metrics,
      onTrouble: (cause) => this.#gapCause.note(cause),
      signal: this.#stop.signal,
      settings,
    });
  }

  #hear(blocks: readonly AudioBlock[], position: Position | undefined): Promise<void> | undefined {
    for (const block of blocks) {
      this.#deps.metrics.heard(block.channel, block.pcm.length);
      this.#aligner.add(block);
    }
    const handedOver = this.#forward();
    if (handedOver) return handedOver.then(() => this.#heard(position));
    this.#heard(position);
    return undefined;
  }

  #heard(position: Position | undefined): void {
    this.#aligner.keep();
    this.#noteProgress(position);
  }

  /** Hands over what is settled of the call. Waiting here is what holds the stream back (daemon/README.md, decision 7). */
  #forward(): Promise<void> | undefined {
    for (let piece = this.#aligner.take(this.#longestMs); piece; piece = this.#aligner.take(this.#longestMs)) {
      const handedOver = this.#handOver(piece);
      // Most often there is nothing to wait for, and a promise for each read of each call would cost more than it tells.
      if (handedOver) return handedOver.then(() => this.#forward());
    }
    this.#reportHole();
    return undefined;
  }

  /** Gives a promise when nothing more is to be handed over until it resolves. */
  #handOver(piece: Piece): Promise<void> | undefined {
    if (!this.#pacer) return this.#send(piece);
    return this.#pacer.turn(piece.pcm.length / BYTES_PER_MS, this.#stop.signal).then(() => this.#send(piece));
  }

  #send({ pcm, arrivedAtMs }: Piece): Promise<void> | undefined {
    if (!this.#isHeard) this.#log.info({ event: 'audio.first' }, 'the call is heard');
    this.#isHeard = true;
    return this.#link.send(pcm, arrivedAtMs);
  }

  #reportHole(): void {
    const { holeMs, positionMs } = this.#aligner;
    if (holeMs === this.#loggedHoleMs) {
      this.#gapCause.unfounded(this.#aligner);
      return;
    }
    const cause = this.#gapCause.blame();
    const fields = { event: 'audio.hole', cause, missingMs: holeMs - this.#loggedHoleMs, callMs: positionMs };
    this.#deps.metrics.hole(cause, fields.missingMs);
    this.#log.warn(fields, 'audio is missing in the stream: there is silence in its place');
    this.#loggedHoleMs = holeMs;
  }

  #noteProgress(position: Position | undefined): void {
    const { checkpoints } = this.#deps;
    // Before the call has begun nothing of it has a place yet, however much of it has been read.
    if (!checkpoints || !this.#aligner.hasBegun) return;
    this.#progress.note(position, this.#aligner.reachMs);
    checkpoints.track(this.#checkpointSource);
  }

  #resumePoint(): ReturnType<CheckpointSource['resumePoint']> {
    const callMs = this.#link.safeMs;
    const { connections } = this.#link;
    return { position: this.#progress.before(callMs), callClock: this.#aligner.callClock, callMs, connections };
  }

  #end(outcome: Outcome): Outcome {
    this.#state = 'ended';
    this.#ending.resolve();
    const { audioMs, worstLagMs, holeMs, reconnects, replayedMs, worstBufferBytes, deepgramRequestIds } = this.view();
    const totals = { audioMs, worstLagMs, holeMs, reconnects, replayedMs, worstBufferBytes, deepgramRequestIds };
    const fields = { event: 'session.ended', outcome: outcome.name, ...totals };
    if (outcome.name === 'completed') {
      this.#deps.metrics.sessionCompleted(outcome.reason);
      this.#log.info({ ...fields, reason: outcome.reason }, 'the session is over');
    } else {
      const unsentMs = Math.max(0, this.#aligner.reachMs - audioMs);
      this.#deps.metrics.hole('unsent', unsentMs);
      this.#deps.metrics.sessionFailed(outcome.error);
      const words = 'the session failed: the rest of the call is lost';
      this.#log.error({ ...fields, unsentMs, ...errorFields(outcome.error) }, words);
    }
    return outcome;
  }
}
