import type { Millis } from '../runtime/clock.ts';
import type { ChannelTimes } from './event-log.ts';
import type { EventHead } from './spool/record.ts';

/** An event that waits for its sinks. */
export interface QueuedEvent {
  /** Undefined for a hint. */
  readonly head: EventHead | undefined;
  readonly epoch: number;
  readonly type: string;
  readonly json: Buffer;
  /** For finals: where they end in the call. */
  readonly endMs: Millis | undefined;
  readonly arrivedAtMs: Millis;
  /** The spool's commit that has it. */
  readonly commit: number;
}

/** A session's events in order, at positions that change only when events before them are taken out: 0, 1, 2 … */
export class EventQueue {
  readonly #events: QueuedEvent[] = [];
  /** Position of the first event in the array, which is at this index. */
  #begin = 0;
  #index = 0;

  /** Position of the first event that is still kept. */
  get begin(): number {
    return this.#begin;
  }

  /** Position of the next event. */
  get end(): number {
    return this.#begin + this.#events.length - this.#index;
  }

  push(event: QueuedEvent): void {
    this.#events.push(event);
  }

  at(position: number): QueuedEvent | undefined {
    return position < this.#begin ? undefined : this.#events[this.#index + position - this.#begin];
  }

  /** Forgets the events before `position` and passes each on. */
  release(position: number, onReleased: (event: QueuedEvent) => void): void {
    while (this.#begin < position && this.#index < this.#events.length) {
      onReleased(this.#events[this.#index] as QueuedEvent);
      this.#index++;
      this.#begin++;
    }
    // Moving what is left costs more than keeping some slots.
    if (this.#index < 64 && this.#index < this.#events.length) return;
    // In place: an array that is old and replaced keeps young events alive until V8's next major collection.
    this.#events.splice(0, this.#index);
    this.#index = 0;
  }

  /** Takes events out, which do not keep a place, and returns where they were, in order. Later ones move up. */
  takeOut(events: ReadonlySet<QueuedEvent>): number[] {
    const positions: number[] = [];
    let to = this.#index;
    for (let from = this.#index; from < this.#events.length; from++) {
      const event = this.#events[from] as QueuedEvent;
      if (events.has(event)) positions.push(this.#begin + from - this.#index);
      else this.#events[to++] = event;
    }
    this.#events.length = to;
    return positions;
  }

  *kept(): Generator<QueuedEvent> {
    for (let position = this.#begin; position < this.end; position++) yield this.at(position) as QueuedEvent;
  }
}

/** The earlier of each channel. */
export function earlier([one, two]: ChannelTimes, [other, another]: ChannelTimes): ChannelTimes {
  return [Math.min(one, other), Math.min(two, another)];
}
