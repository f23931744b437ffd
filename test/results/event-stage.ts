import { randomUUID } from 'node:crypto';
import {
  type NumberedContent,
  type NumberedEvent,
  numberedEvent,
  type ResultsEvent,
  resultsEvent,
  type SessionEnded,
} from '../../daemon/contract/events.ts';
import type { DeadLetter } from '../../daemon/results/dead-letters/letter.ts';
import type { EventLog, RelayState } from '../../daemon/results/event-log.ts';
import { EventStore, type EventStoreOptions } from '../../daemon/results/event-store.ts';
import type { ResultsCounter } from '../../daemon/results/results-counter.ts';
import type { Batch, Delivery, Sink, SinkName, SinkSession } from '../../daemon/results/sink.ts';
import { Marks } from '../../daemon/results/spool/marks.ts';
import type { DeliveredSession } from '../../daemon/results/spool/record.ts';
import { splitSpools } from '../../daemon/results/spool/recovery.ts';
import { Sealing } from '../../daemon/secrets/sealing.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { MemoryFolder } from './memory-folder.ts';

export const MINUTE_MS = 60_000;
export const GIVE_UP_MS = 60 * MINUTE_MS;

/** A sink that a test answers for, and what was delivered to it. */
export class TestSink implements Sink {
  readonly name: SinkName;
  readonly limits = { events: 100, bytes: 256 * 1024 };
  readonly batches: Batch[] = [];
  readonly attempts: Batch[] = [];
  answer: (batch: Batch) => Delivery | Promise<Delivery> = () => ({ name: 'delivered' });

  constructor(name: SinkName = 'webhook') {
    this.name = name;
  }

  takes(_session: SinkSession, _type: string, isHint: boolean): boolean {
    return this.name === 'webhook' || !isHint;
  }

  async deliver(batch: Batch): Promise<Delivery> {
    this.attempts.push(batch);
    const delivery = await this.answer(batch);
    if (delivery.name === 'delivered') this.batches.push(batch);
    return delivery;
  }

  close(): void {}

  get events(): ResultsEvent[] {
    return this.batches.flatMap(({ events }) =>
      events.map(({ json }) => resultsEvent.parse(JSON.parse(json.toString()))),
    );
  }

  get numbered(): NumberedEvent[] {
    return this.batches.flatMap(({ events }) =>
      events.flatMap(({ json, sequence }) => (sequence ? [numberedEvent.parse(JSON.parse(json.toString()))] : [])),
    );
  }

  get sequences(): number[] {
    return this.numbered.map(({ sequence }) => sequence);
  }
}

export const retry: Delivery = { name: 'retry', error: 'HTTP 500' };

/** What outlives a process: the disk, the consumers and what operators see. */
export function place({ mostBytes = 64 * 1024 * 1024 }: { mostBytes?: number | undefined } = {}) {
  const clock = new VirtualClock();
  const { log, lines, of } = recordedLog();
  const world = {
    folder: new MemoryFolder() as MemoryFolder | undefined,
    /** Where the unit's runtime directory is kept over restarts. */
    runtime: undefined as MemoryFolder | undefined,
    boot: 'boot-1',
    key: 'the state key',
    /** Names the process that runs now. */
    process: 'process1',
  };
  const letters: DeadLetter[] = [];
  const disk = { keepsLetters: true };
  const counted = { lost: 0, deadLetters: 0, hintsDropped: 0, delivered: 0, attempts: [] as string[] };
  const counter: ResultsCounter = {
    attempted: (_sink, outcome) => counted.attempts.push(outcome),
    delivered: () => counted.delivered++,
    deadLetter: (_sink, events) => {
      counted.deadLetters += events;
    },
    hintDropped: () => counted.hintsDropped++,
    lost: (events) => {
      counted.lost += events;
    },
  };
  let threads = 0;
  let processes = 1;
  const recoveryOf = (folder: MemoryFolder) => ({
    folder,
    marks: new Marks(folder, world.runtime),
    process: world.process,
    boot: world.boot,
    sealing: new Sealing([fixedSecret(world.key)], 'results'),
    log,
  });
  return {
    clock,
    log,
    lines,
    of,
    world,
    letters,
    disk,
    counted,
    /** A thread that hosts sessions. */
    store(sinks: readonly Sink[] = [], changes: Partial<EventStoreOptions> = {}): EventStore {
      return new EventStore({
        thread: `thread-${++threads}`,
        process: world.process,
        folder: world.folder,
        runtime: world.runtime,
        boot: world.boot,
        sealing: new Sealing([fixedSecret(world.key)], 'results'),
        sinks,
        deadLetters: {
          put: async (letter) => {
            if (disk.keepsLetters) letters.push(letter);
            return disk.keepsLetters ? 'kept' : 'failed';
          },
        },
        counter,
        mostBytes,
        giveUpMs: GIVE_UP_MS,
        clock,
        timers: clock,
        log,
        random: () => 0.5,
        ...changes,
      });
    },
    /** The process dies: the next one finds the disk, which works again unless it is said to be otherwise. */
    restart(state: MemoryFolder['state'] = 'works'): void {
      world.folder = world.folder?.afterCrash();
      world.runtime = world.runtime?.afterCrash();
      if (world.folder) world.folder.state = state;
      world.process = `process${++processes}`;
    },
    /** What a new process does first. */
    recover: (only?: readonly string[]) =>
      world.folder ? splitSpools(recoveryOf(world.folder), only) : Promise.resolve([]),
  };
}

export function sessionOf(changes: Partial<DeliveredSession> = {}): DeliveredSession {
  return {
    sessionId: randomUUID(),
    contactId: 'contact-1',
    contact: undefined,
    webhook: 'https://hooks.example.com/calls',
    stream: 'none',
    timeZeroEpochMs: Date.UTC(2026, 0, 1),
    ...changes,
  };
}

export const STARTED: NumberedContent = { type: 'session.started', startedAt: '2026-01-01T00:00:00.000Z' };

/** The nth final of a call, a second each; even ones are the customer's. */
export function finalOf(nth: number, text = `word ${nth}`): NumberedContent {
  const [startMs, endMs] = [nth * 1000, nth * 1000 + 900];
  const word = { text, startMs, endMs, confidence: 0.9 };
  return {
    type: 'transcript',
    final: true,
    speechFinal: true,
    speaker: nth % 2 === 0 ? 'CUSTOMER' : 'AGENT',
    startMs,
    endMs,
    text,
    confidence: 0.9,
    connection: 1,
    words: [word],
    dropped: 0,
    deepgram: { type: 'Results' },
  };
}

export function stateAt(nth: number): RelayState {
  return { finalMs: [nth * 1000 + 900, nth * 1000 + 900], lastWords: [[], []], finals: nth };
}

export const ENDED: SessionEnded = {
  type: 'session.ended',
  outcome: 'completed',
  reason: 'no-more-fragments',
  durationMs: 1,
  gapMs: 0,
  unfinishedMs: 0,
  finals: 0,
};

/** Appends finals with these numbers. */
export function say(log: EventLog, from: number, to: number, text?: string): void {
  for (let nth = from; nth <= to; nth++) log.append(finalOf(nth, text), stateAt(nth));
}
