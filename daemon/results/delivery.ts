import type { Log } from '../log/log.ts';
import { type BackoffOptions, backoffMs } from '../runtime/backoff.ts';
import type { Cancel, Clock, Millis } from '../runtime/clock.ts';
import type { DeadLetters } from './dead-letters/dead-letters.ts';
import type { ChannelTimes } from './event-log.ts';
import type { EventQueue, QueuedEvent } from './event-queue.ts';
import type { ResultsCounter } from './results-counter.ts';
import type { Batch, BatchedEvent, Delivery, Sink } from './sink.ts';
import type { DeliveredSession, Place } from './spool/record.ts';

const BACKOFF: Omit<BackoffOptions, 'random'> = { firstMs: 500, longestMs: 30_000 };
/** Around the events of a batch: the envelope of a webhook's body. */
const ENVELOPE_BYTES = 512;

/** The session whose events are delivered. */
export interface DeliverySource {
  readonly session: DeliveredSession;
  readonly queue: EventQueue;
  /** That of new events; the queue may begin with those of an earlier one. */
  readonly epoch: number;
  /** False while the event is not on disk. */
  isSendable(event: QueuedEvent): boolean;
  /** An event without a number that precedes the next ones: a gap reported after `session.ended`. */
  readonly unnumbered: BatchedEvent | undefined;
  /** The event without a number was delivered. */
  unnumberedDelivered(): void;
  /** The sink has got further: it took what it was sent, or that was given up. */
  progressed(delivery: SinkDelivery, how: 'delivered' | 'given-up'): void;
  /** These became dead letters. */
  gaveUp(events: readonly QueuedEvent[]): void;
}

export interface DeliveryDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly counter: ResultsCounter;
  readonly deadLetters: DeadLetters;
  /** RESULTS_GIVE_UP_MS. */
  readonly giveUpMs: Millis;
}

/** A batch on its way, with where it ends in the queue. */
interface Outgoing {
  readonly batch: Batch;
  readonly events: readonly QueuedEvent[];
  endPosition: number;
  retries: number;
}

/**
 * Brings one session's events to one sink: one batch at a time, in order, each until it is delivered or a dead letter.
 * A batch stays as it is over all its attempts; what arrives meanwhile goes into the next one.
 */
export class SinkDelivery {
  readonly sink: Sink;
  /** Position of the next event that is neither delivered nor given up. */
  position: number;
  /** The last numbered event before it, and what was final with it. */
  place: Place;
  finalMs: ChannelTimes;
  readonly #source: DeliverySource;
  readonly #deps: DeliveryDeps;
  #outgoing: Outgoing | undefined;
  #isBusy = false;
  #isStopped = false;
  #isUrgent = false;
  /** Why the attempt failed that was made because the process ends: no other follows. */
  #lastFault: string | undefined;
  #cancelRetry: Cancel | undefined;
  /** A consumer that refuses a batch's size gets smaller ones. */
  #mostEvents: number;
  #hintBatches = 0;
  /** Attempts of a batch that had to make room before it was delivered. */
  #retriesBefore = 0;
  #failingSinceMs: Millis | undefined;

  constructor(
    sink: Sink,
    source: DeliverySource,
    start: { readonly position: number; readonly place: Place; readonly finalMs: ChannelTimes },
    deps: DeliveryDeps,
  ) {
    this.sink = sink;
    this.#source = source;
    this.#deps = deps;
    this.#mostEvents = sink.limits.events;
    this.position = start.position;
    this.place = start.place;
    this.finalMs = start.finalMs;
  }

  /** True while attempts fail: hints would arrive too late. */
  get isFailing(): boolean {
    return this.#failingSinceMs !== undefined;
  }

  /** Events from here on are not on their way: those of a batch that waits for its next attempt are not, either. */
  get freePosition(): number {
    return this.#isBusy && this.#outgoing ? this.#outgoing.endPosition : this.position;
  }

  /** Call this when events were taken out of the queue, none of them on its way, with where they were, in order. */
  tookOut(positions: readonly number[]): void {
    const before = (end: number) => positions.filter((position) => position < end).length;
    const outgoing = this.#outgoing;
    if (outgoing && before(outgoing.endPosition) > before(this.position)) {
      // What is left of it goes into another batch, which waits as long as this one would have.
      this.#retriesBefore = outgoing.retries;
      this.#outgoing = undefined;
    } else if (outgoing) outgoing.endPosition -= before(outgoing.endPosition);
    this.position -= before(this.position);
  }

  /** Call this when there may be something to deliver. */
  wake(): void {
    if (this.#isBusy || this.#isStopped || this.#cancelRetry) return;
    this.#outgoing ??= this.#nextBatch();
    if (this.#outgoing) void this.#attempt(this.#outgoing);
  }

  /** Makes one more attempt at once, and gives up everything if it fails, because the process ends. */
  hurry(): void {
    this.#isUrgent = true;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.wake();
  }

  /** Stops retrying; gives nothing up. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
  }

  async #attempt(outgoing: Outgoing): Promise<void> {
    this.#isBusy = true;
    await this.#settle(outgoing, await this.#deliver(outgoing));
    this.#isBusy = false;
    this.wake();
  }

  async #deliver({ batch }: Outgoing): Promise<Delivery> {
    // Each attempt may take as long as the consumer's time limit, and the process is to end.
    if (this.#lastFault !== undefined) return { name: 'given-up', error: this.#lastFault };
    const delivery = await this.sink.deliver(batch);
    this.#deps.counter.attempted(this.sink.name, delivery.name);
    return delivery;
  }

  async #settle(outgoing: Outgoing, delivery: Delivery): Promise<void> {
    if (this.#isStopped && delivery.name !== 'delivered') return;
    switch (delivery.name) {
      case 'delivered':
        this.#delivered(outgoing);
        break;
      case 'retry':
        await this.#retry(outgoing, delivery);
        break;
      case 'given-up':
        this.#note(outgoing, delivery.error);
        await this.#giveUp(outgoing, delivery.error);
        // A consumer that is down is not retried at once.
        if (!this.#isUrgent && !this.#cancelRetry) this.#wait(this.#backoffMs(Infinity));
        break;
      case 'too-large': {
        const { length } = outgoing.batch.events;
        this.#mostEvents = Math.max(1, Math.floor(length / 2));
        if (length > 1) this.#outgoing = undefined;
        else await this.#giveUp(outgoing, delivery.error);
        break;
      }
    }
  }

  #delivered(outgoing: Outgoing): void {
    const { clock, counter, log } = this.#deps;
    const nowMs = clock.now();
    for (const event of outgoing.events) counter.delivered(this.sink.name, this.#countedOf(event, nowMs));
    if (this.#failingSinceMs !== undefined) {
      const fields = { event: 'results.recovered', ...this.#about, failingMs: nowMs - this.#failingSinceMs };
      log.info(fields, 'events are delivered again');
      this.#failingSinceMs = undefined;
    }
    this.#mostEvents = Math.min(this.#mostEvents * 2, this.sink.limits.events);
    if (outgoing.batch.events.length > outgoing.events.length) this.#source.unnumberedDelivered();
    this.#advance(outgoing, 'delivered');
  }

  #countedOf({ type, head, endMs, arrivedAtMs }: QueuedEvent, nowMs: Millis) {
    const { timeZeroEpochMs } = this.#source.session;
    const endToEndMs = endMs === undefined ? undefined : this.#deps.clock.epoch() - (timeZeroEpochMs + endMs);
    return { type, isHint: head === undefined, tookMs: nowMs - arrivedAtMs, endToEndMs };
  }

  async #retry(outgoing: Outgoing, { error, afterMs = 0 }: Delivery & { readonly name: 'retry' }): Promise<void> {
    this.#note(outgoing, error);
    if (this.#isUrgent) this.#lastFault = error;
    const leftMs = this.#isUrgent ? 0 : this.#leftMs(outgoing);
    const waitMs = Math.max(afterMs, this.#backoffMs(outgoing.retries++));
    if (leftMs <= 0) await this.#giveUp(outgoing, error);
    else if (waitMs < leftMs) this.#wait(waitMs);
    else this.#wait(leftMs, async () => this.#giveUp(outgoing, error));
  }

  /** How long the batch is still tried: RESULTS_GIVE_UP_MS for each of its events. */
  #leftMs({ events }: Outgoing): Millis {
    const newestMs = Math.max(...events.map(({ arrivedAtMs }) => arrivedAtMs));
    return newestMs + this.#deps.giveUpMs - this.#deps.clock.now();
  }

  #wait(ms: Millis, then: () => Promise<void> = async () => {}): void {
    if (this.#isStopped) return;
    this.#cancelRetry = this.#deps.clock.after(ms, () => {
      this.#cancelRetry = undefined;
      this.#isBusy = true;
      void then().then(() => {
        this.#isBusy = false;
        this.wake();
      });
    });
  }

  #backoffMs(retries: number): Millis {
    return backoffMs(retries, { ...BACKOFF, random: this.#deps.random });
  }

  /** Keeps the batch as a dead letter and continues after it. Retried until it is kept: until then nothing is lost. */
  async #giveUp(outgoing: Outgoing, error: string): Promise<void> {
    // It had to make room meanwhile.
    if (this.#outgoing !== outgoing) return;
    const { deadLetters, counter, log } = this.#deps;
    const numbered = outgoing.events.filter(({ head }) => head !== undefined);
    const hints = outgoing.events.length - numbered.length;
    if (numbered.length > 0) {
      const kept = await deadLetters.put({ sink: this.sink.name, batch: withoutHints(outgoing.batch) });
      if (kept === 'failed') {
        this.#wait(this.#backoffMs(outgoing.retries++), () => this.#giveUp(outgoing, error));
        return;
      }
      if (kept === 'kept') counter.deadLetter(this.sink.name, numbered.length);
      else counter.lost(numbered.length);
      const { id: batch } = outgoing.batch;
      const fields = {
        event: 'results.dead-letter',
        ...this.#about,
        batch,
        events: numbered.length,
        kept,
        reason: error,
      };
      log.error(
        fields,
        kept === 'kept'
          ? 'gave up delivering events: they are kept as a dead letter; see integratorctl results'
          : 'gave up delivering events: they are lost, as neither RESULTS_DEAD_LETTERS nor STATE_DIR is set',
      );
      this.#source.gaveUp(numbered);
    }
    for (let dropped = 0; dropped < hints; dropped++) counter.hintDropped();
    this.#advance(outgoing, 'given-up');
  }

  #advance({ endPosition }: Outgoing, how: 'delivered' | 'given-up'): void {
    this.#outgoing = undefined;
    this.#moveTo(endPosition);
    this.#source.progressed(this, how);
  }

  #moveTo(position: number): void {
    for (; this.position < position; this.position++) this.#pass(this.#source.queue.at(this.position));
  }

  #pass(event: QueuedEvent | undefined): void {
    if (!event?.head) return;
    this.place = [event.head.epoch, event.head.sequence];
    this.finalMs = event.head.finalMs;
  }

  /** Logs when a session's deliveries begin to fail, not every attempt. */
  #note(outgoing: Outgoing, error: string): void {
    if (this.#failingSinceMs !== undefined) return;
    this.#failingSinceMs = this.#deps.clock.now();
    const fields = { event: 'results.failing', ...this.#about, batch: outgoing.batch.id, reason: error };
    this.#deps.log.warn(fields, 'events are not delivered: retrying');
  }

  get #about() {
    const { sessionId, contactId } = this.#source.session;
    return { sink: this.sink.name, sessionId, contactId };
  }

  #nextBatch(): Outgoing | undefined {
    const events: QueuedEvent[] = [];
    const unnumbered = this.#unnumbered;
    const others = unnumbered === undefined ? [] : [unnumbered];
    let bytes = others.reduce((sum, { json }) => sum + json.length + 1, ENVELOPE_BYTES);
    let position = this.position;
    for (; events.length + others.length < this.#mostEvents; position++) {
      const event = this.#source.queue.at(position);
      if (!event || !this.#source.isSendable(event)) break;
      if (!this.sink.takes(this.#source.session, event.type, event.head === undefined)) continue;
      bytes += event.json.length + 1;
      const isFull = bytes > this.sink.limits.bytes || event.epoch !== (events[0] ?? event).epoch;
      if (isFull && events.length > 0) break;
      events.push(event);
    }
    if (events.length > 0) return this.#outgoingOf(events, position, unnumbered);
    // What does not go to this sink counts as acknowledged.
    if (position > this.position) {
      this.#moveTo(position);
      this.#source.progressed(this, 'delivered');
    }
    return undefined;
  }

  get #unnumbered(): BatchedEvent | undefined {
    const { session, queue, epoch, unnumbered } = this.#source;
    // It takes no event's only place: a consumer can do without it.
    const hasPlace = this.#mostEvents > 1 && queue.at(this.position)?.epoch === epoch;
    return hasPlace && this.sink.takes(session, 'gap', false) ? unnumbered : undefined;
  }

  #outgoingOf(events: readonly QueuedEvent[], endPosition: number, unnumbered: BatchedEvent | undefined): Outgoing {
    const { session } = this.#source;
    const epoch = (events[0] as QueuedEvent).epoch;
    const batched = events.map(({ head, type, json }) => ({ sequence: head?.sequence, type, json }));
    const all = unnumbered ? [unnumbered, ...batched] : batched;
    const id = `${session.sessionId}_${epoch}_${this.#rangeOf(batched)}`;
    const retries = this.#retriesBefore;
    this.#retriesBefore = 0;
    return { batch: { session, epoch, id, events: all }, events, endPosition, retries };
  }

  #rangeOf(events: readonly BatchedEvent[]): string {
    const numbers = events.flatMap(({ sequence }) => sequence ?? []);
    if (numbers.length > 0) return `${numbers[0]}-${numbers.at(-1)}`;
    // Never the same again, not after a restart either: consumers drop what they have seen.
    this.#hintBatches = Math.max(this.#hintBatches + 1, this.#deps.clock.epoch());
    return `i${this.#hintBatches}`;
  }
}

/** A hint would come long after the final of its time. */
function withoutHints(batch: Batch): Batch {
  return { ...batch, events: batch.events.filter(({ sequence, type }) => sequence !== undefined || type === 'gap') };
}
