import { eventId, type HintContent, type NumberedContent } from '../contract/events.ts';
import type { Clock } from '../runtime/clock.ts';
import { type DeliveryDeps, type DeliverySource, SinkDelivery } from './delivery.ts';
import type { ChannelTimes, EventLog, RelayState } from './event-log.ts';
import { EventQueue, earlier, type QueuedEvent } from './event-queue.ts';
import type { BatchedEvent, Sink, SinkName } from './sink.ts';
import { comparePlaces, type RecoveredSession, sessionLines } from './spool/merged.ts';
import {
  type DeliveredSession,
  type EventHead,
  FINAL,
  lineOf,
  type Place,
  type SpoolLine,
  stateLine,
  type Undelivered,
} from './spool/record.ts';
import type { Spool, SpoolOwner } from './spool/spool.ts';
import { gapOf, undeliveredOf } from './undelivered.ts';

/** Interims come several times a second: with this many waiting, later ones are left out. */
const MOST_HINTS = 50;
/** What an event takes on disk and in memory beside its JSON. */
const EVENT_BYTES = 400;
/** What an open session takes on disk without its events: its facts, state and acknowledgments. */
const SESSION_BYTES = 3072;
const START: ChannelTimes = [0, 0];

/** What a thread's sessions may keep (RESULTS_SPOOL_MIB). */
export interface Budget {
  readonly isFull: boolean;
  /** Bytes kept from now on, or no longer when negative. */
  keep(bytes: number): void;
  /** Called after an event was added: others may have to make room. */
  makeRoom(): void;
}

interface SessionEventsDeps extends DeliveryDeps {
  /** For long or frequent waits. */
  readonly timers: Clock;
  /** Undefined without STATE_DIR: events are in memory only. */
  readonly spool: Spool | undefined;
  readonly budget: Budget;
  /** Every event is delivered or a dead letter, and none follows. */
  readonly onDone: (events: SessionEvents) => void;
}

/** Events that had to make room, and the sinks that do not have them. */
export interface Dropped {
  readonly events: readonly QueuedEvent[];
  readonly sinks: readonly SinkName[];
}

/** How a session's events begin: new, or with what an earlier process left. */
export interface Beginning {
  readonly epoch: number;
  readonly found: RecoveredSession | undefined;
  /** The epoch follows on the `session.ended` of an interrupted session. */
  readonly wasInterrupted: boolean;
}

/** A session's events: numbers them, keeps them until every sink has them, and says how far that is. */
export class SessionEvents implements EventLog, SpoolOwner, DeliverySource {
  readonly session: DeliveredSession;
  readonly epoch: number;
  readonly wasInterrupted: boolean;
  readonly queue = new EventQueue();
  readonly #deps: SessionEventsDeps;
  readonly #deliveries: readonly SinkDelivery[];
  readonly #drained = Promise.withResolvers<void>();
  #settled: PromiseWithResolvers<void> | undefined;
  #last: Place;
  #state: RelayState | undefined;
  #hasEnded: boolean;
  #isInterrupted = false;
  #isDone = false;
  #hints = 0;
  /** Numbered events that some sink does not have. */
  #waiting = 0;
  #bytes = 0;
  #undelivered: Undelivered | undefined;
  #isRecorded: boolean;

  /** @param sinks those that the session's events go to; without any, events are only numbered */
  constructor(session: DeliveredSession, sinks: readonly Sink[], beginning: Beginning, deps: SessionEventsDeps) {
    const { epoch, found, wasInterrupted } = beginning;
    this.session = session;
    this.epoch = epoch;
    this.wasInterrupted = wasInterrupted;
    this.#deps = deps;
    this.#last = found && found.last[0] === epoch ? found.last : [epoch, 0];
    this.#state = found?.state;
    this.#hasEnded = (found?.hasEnded ?? false) && !wasInterrupted;
    this.#undelivered = found?.undelivered && undeliveredIn(epoch, found.undelivered, found.last);
    // A later epoch is on disk from its beginning: what the next process does not know of it, it would number again.
    this.#isRecorded = found !== undefined || epoch > 1;
    if (sinks.length > 0) this.#keep(SESSION_BYTES);
    for (const { head, json } of found?.events ?? []) this.#push(head, json, 0);
    const deliveryDeps: DeliveryDeps = { ...deps, clock: deps.timers };
    this.#deliveries = sinks.map((sink) => {
      const { place, finalMs } = found?.acknowledged[sink.name] ?? { place: [0, 0] as const, finalMs: START };
      return new SinkDelivery(sink, this, { position: this.#positionAfter(place), place, finalMs }, deliveryDeps);
    });
    if (this.#isRecorded && deps.spool) for (const line of this.lines()) deps.spool.write(line, this);
  }

  get sequence(): number {
    return this.#last[1];
  }

  get state(): RelayState | undefined {
    return this.#state;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get deliveredMs(): ChannelTimes {
    const all = this.#deliveries.map(({ finalMs }) => finalMs);
    return all.length > 0 ? all.reduce(earlier) : (this.#state?.finalMs ?? START);
  }

  /** Numbered events that some sink does not have, and when the oldest of them arrived. */
  get backlog(): { readonly events: number; readonly oldestAtMs: number | undefined } {
    let events = 0;
    let oldestAtMs: number | undefined;
    for (const { head, arrivedAtMs } of this.queue.kept()) {
      if (!head) continue;
      events++;
      oldestAtMs ??= arrivedAtMs;
    }
    return { events, oldestAtMs };
  }

  /** Bytes that the session's events take, on disk as in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  append(content: NumberedContent, state: RelayState, mayResume = false): void {
    if (this.#undelivered && this.#tellsGapBefore(content)) this.#appendGap(this.#undelivered, this.#state ?? state);
    this.#isInterrupted = mayResume;
    this.#append(content, state);
    this.#deps.budget.makeRoom();
    if (!this.#deps.spool) this.#wakeAll();
  }

  hint(content: HintContent): void {
    const isLate = this.#hasEnded || this.#hints >= MOST_HINTS || this.isFailing;
    const isWanted = this.#deliveries.some(({ sink }) => sink.takes(this.session, content.type, true));
    if (!isWanted) return;
    if (isLate || this.#deps.budget.isFull) {
      this.#deps.counter.hintDropped();
      return;
    }
    const json = this.#jsonOf(content, this.#deps.clock.epoch());
    this.#hints++;
    this.#keep(json.length);
    this.queue.push({
      head: undefined,
      epoch: this.epoch,
      type: content.type,
      json,
      endMs: undefined,
      arrivedAtMs: this.#deps.clock.now(),
      commit: 0,
    });
    this.#wakeAll();
  }

  drained(): Promise<void> {
    this.#checkDone();
    return this.#drained.promise;
  }

  /** Resolves when every event so far is delivered or a dead letter, whether the session has ended or not. */
  settled(): Promise<void> {
    this.#settled ??= Promise.withResolvers();
    this.#checkDone();
    return this.#settled.promise;
  }

  /** Begins to deliver what an earlier process left. */
  wake(): void {
    this.#wakeAll();
    this.#checkDone();
  }

  committed(): void {
    this.#wakeAll();
  }

  /** The process ends soon: one more attempt, and if it fails everything becomes a dead letter. */
  hurry(): void {
    for (const delivery of this.#deliveries) delivery.hurry();
  }

  /** Stops delivering; what is left stays on disk. */
  stop(): void {
    for (const delivery of this.#deliveries) delivery.stop();
  }

  /** True while a consumer does not take the session's events. */
  get isFailing(): boolean {
    return this.#deliveries.some(({ isFailing }) => isFailing);
  }

  /** About how many events `drop` could give up. */
  get droppable(): number {
    return this.queue.end - Math.min(this.queue.end, ...this.#deliveries.map(({ freePosition }) => freePosition));
  }

  /**
   * Gives up the oldest events of an epoch that are not on their way, at most `most` of them, for the sinks that do not
   * have them yet. Everything that they took is released. Undefined if there are none.
   */
  drop(most: number): Dropped | undefined {
    const dropped: QueuedEvent[] = [];
    let waiting: readonly SinkDelivery[] = [];
    const from = Math.min(...this.#deliveries.map(({ freePosition }) => freePosition));
    for (let position = from; dropped.length < most && position < this.queue.end; position++) {
      const event = this.queue.at(position) as QueuedEvent;
      const sinks = this.#deliveries.filter((delivery) => delivery.position <= position);
      if (!event.head || event.type.startsWith('session.') || sinks.some((each) => each.freePosition > position))
        continue;
      if (dropped.length === 0) waiting = sinks;
      if (event.epoch !== (dropped[0] ?? event).epoch || sinks.length !== waiting.length) break;
      dropped.push(event);
    }
    if (dropped.length === 0) return undefined;
    this.#takeOut(new Set(dropped));
    this.gaveUp(dropped);
    this.#checkDone();
    return { events: dropped, sinks: waiting.map(({ sink }) => sink.name) };
  }

  /** Call this when events that had to make room are dead letters, or lost: a restart does not bring them back. */
  noteDropped(events: readonly QueuedEvent[]): void {
    const { sessionId } = this.session;
    const [{ epoch } = this] = events;
    const sequences = events.flatMap(({ head }) => head?.sequence ?? []);
    if (!this.#isDone) this.#deps.spool?.note(lineOf({ kind: 'dropped', sessionId, epoch, sequences }));
  }

  #takeOut(events: ReadonlySet<QueuedEvent>): void {
    const positions = this.queue.takeOut(events);
    for (const delivery of this.#deliveries) delivery.tookOut(positions);
    for (const { json } of events) this.#keep(-(json.length + EVENT_BYTES));
    this.#waiting -= events.size;
  }

  /** What the spool must keep of the session. */
  lines(): SpoolLine[] {
    if (this.#isDone || this.#deliveries.length === 0) return [];
    const { session } = this;
    const acknowledged = Object.fromEntries(
      this.#deliveries.map(({ sink, place, finalMs }) => [sink.name, { place, finalMs }]),
    );
    const events = [...this.queue.kept()].flatMap(({ head, json }) => (head ? [{ head, json }] : []));
    const [last, hasEnded, isInterrupted] = [this.#last, this.#hasEnded, this.#isInterrupted];
    const [state, undelivered] = [this.#state, this.#undelivered];
    return sessionLines({ session, last, hasEnded, isInterrupted, state, acknowledged, undelivered, events });
  }

  isSendable({ commit }: QueuedEvent): boolean {
    const { spool } = this.#deps;
    return !spool || commit <= spool.committed;
  }

  /** Numbers end with `session.ended`, so a gap found after it has none. */
  get unnumbered(): BatchedEvent | undefined {
    if (!this.#undelivered || !this.#hasEnded) return undefined;
    const gap = gapOf(this.#undelivered);
    return { sequence: undefined, type: gap.type, json: this.#jsonOf(gap, this.#deps.clock.epoch()) };
  }

  unnumberedDelivered(): void {
    this.#setUndelivered(undefined);
  }

  progressed({ sink, place, finalMs }: SinkDelivery, how: 'delivered' | 'given-up'): void {
    const { sessionId } = this.session;
    this.#deps.spool?.note(lineOf({ kind: 'acknowledged', sessionId, sink: sink.name, place, finalMs }));
    this.#release();
    if (how === 'delivered') this.#tellGap();
    this.#checkDone();
  }

  gaveUp(events: readonly QueuedEvent[]): void {
    this.#setUndelivered(undeliveredOf(events, this.epoch, this.#undelivered));
  }

  /**
   * While a consumer is away a gap would wait behind others, make room itself, and be repeated by the next one: it is told
   * once others are delivered, or before `session.ended`. A later epoch begins with `session.resumed`.
   */
  #tellsGapBefore({ type }: NumberedContent): boolean {
    if (type === 'session.ended') return true;
    return type !== 'session.resumed' && (this.#waiting === 0 || !this.isFailing);
  }

  /** What made room while others waited is reported once these are delivered. */
  #tellGap(): void {
    if (!this.#undelivered || !this.#state || this.#hasEnded) return;
    if (!this.isFailing) this.#appendGap(this.#undelivered, this.#state);
  }

  #appendGap(undelivered: Undelivered, state: RelayState): void {
    this.#setUndelivered(undefined);
    this.#append(gapOf(undelivered), state);
  }

  #append(content: NumberedContent, state: RelayState): void {
    const { clock } = this.#deps;
    const sequence = this.sequence + 1;
    const { type } = content;
    const atEpochMs = clock.epoch();
    const id = eventId(this.session.sessionId, this.epoch, sequence);
    this.#last = [this.epoch, sequence];
    this.#state = state;
    this.#hasEnded ||= type === 'session.ended';
    if (this.#deliveries.length === 0) return;
    const json = this.#jsonOf(content, atEpochMs, { sequence, id });
    const head = { epoch: this.epoch, sequence, type, atEpochMs, finalMs: state.finalMs };
    const endMs = type === FINAL ? content.endMs : undefined;
    this.#push(head, json, this.#record(head, json), endMs);
  }

  /** Writes the event to the spool, with what it says of the call. Returns the commit. */
  #record(head: EventHead, json: Buffer): number {
    const { spool } = this.#deps;
    if (!spool) return 0;
    const { session } = this;
    const { sessionId } = session;
    if (!this.#isRecorded) spool.write(lineOf({ kind: 'session', session }), this);
    this.#isRecorded = true;
    const commit = spool.write(lineOf({ kind: 'event', sessionId, ...head }, json), this);
    if (head.type === FINAL) return commit;
    const [place, hasEnded, isInterrupted, state] = [this.#last, this.#hasEnded, this.#isInterrupted, this.#state];
    return spool.write(stateLine({ sessionId, place, hasEnded, isInterrupted, state }), this);
  }

  #push(head: EventHead, json: Buffer, commit: number, endMs?: number): void {
    const { clock } = this.#deps;
    // An event from before a restart has its age by the clock on the wall.
    const arrivedAtMs = clock.now() - Math.max(0, clock.epoch() - head.atEpochMs);
    this.#keep(json.length + EVENT_BYTES);
    this.#waiting++;
    this.queue.push({ head, epoch: head.epoch, type: head.type, json, endMs, arrivedAtMs, commit });
  }

  /** The event as it is sent; only numbered ones have a number. */
  #jsonOf(
    content: NumberedContent | HintContent,
    atEpochMs: number,
    number?: { sequence: number; id: string },
  ): Buffer {
    const { contactId, sessionId } = this.session;
    const at = new Date(atEpochMs).toISOString();
    const envelope = { version: 1, type: content.type, contactId, sessionId, epoch: this.epoch, at };
    return Buffer.from(JSON.stringify({ ...envelope, ...number, ...content }));
  }

  #setUndelivered(events: Undelivered | undefined): void {
    this.#undelivered = events;
    this.#deps.spool?.note(lineOf({ kind: 'undelivered', sessionId: this.session.sessionId, events }));
  }

  #release(): void {
    const position = Math.min(...this.#deliveries.map((delivery) => delivery.position));
    this.queue.release(position, ({ head, json }) => {
      if (head) this.#waiting--;
      else this.#hints--;
      this.#keep(-(json.length + (head ? EVENT_BYTES : 0)));
    });
  }

  #positionAfter(place: Place): number {
    let position = this.queue.begin;
    for (const { head } of this.queue.kept()) {
      if (head && comparePlaces([head.epoch, head.sequence], place) > 0) break;
      position++;
    }
    return position;
  }

  #wakeAll(): void {
    for (const delivery of this.#deliveries) delivery.wake();
  }

  #checkDone(): void {
    if (this.#deliveries.some(({ position }) => position < this.queue.end)) return;
    this.#settled?.resolve();
    if (this.#isDone || !this.#hasEnded) return;
    // Another process needs to know what was said.
    if (this.#isInterrupted) {
      this.#drained.resolve();
      return;
    }
    this.#isDone = true;
    this.#keep(-this.#bytes);
    this.#deps.onDone(this);
    this.#drained.resolve();
  }

  #keep(bytes: number): void {
    this.#bytes += bytes;
    this.#deps.budget.keep(bytes);
  }
}

/** A later epoch cannot name events of an earlier one. */
function undeliveredIn(epoch: number, undelivered: Undelivered, [lastEpoch]: Place): Undelivered {
  return epoch === lastEpoch ? undelivered : { ...undelivered, sequences: [] };
}
