import test from 'ava';
import fc from 'fast-check';
import { type NumberedEvent, numberedEvent } from '../../daemon/contract/events.ts';
import type { DeadLetters } from '../../daemon/results/dead-letters/dead-letters.ts';
import type { EventLog } from '../../daemon/results/event-log.ts';
import type { EventStore } from '../../daemon/results/event-store.ts';
import type { Batch, Delivery } from '../../daemon/results/sink.ts';
import { ENDED, finalOf, place, STARTED, sessionOf, stateAt, TestSink } from './event-stage.ts';

const SESSIONS = 3;
/** What a consumer does with a batch; `late`: it has it, but its answer is lost. */
const BEHAVIORS = ['ok', 'ok', 'ok', 'late', 'fail', 'wait', 'too-large', 'gone', 'hang'] as const;
type Behavior = (typeof BEHAVIORS)[number];

type Action =
  | { readonly do: 'say'; readonly session: number; readonly count: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'behave'; readonly as: readonly Behavior[] }
  | { readonly do: 'crash'; readonly torn: number; readonly turns: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      session: fc.nat(SESSIONS - 1),
      count: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 15, 40, 700, 20_000, 600_000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('behave' as const),
      as: fc.array(fc.constantFrom(...BEHAVIORS), { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      torn: fc.double({ min: 0, max: 1, noNaN: true }),
      turns: fc.nat(6),
    }),
  },
);

/** A consumer, the disk, and the process between them, which crashes. */
class Run {
  readonly #world: ReturnType<typeof place>;
  readonly #sessions = Array.from({ length: SESSIONS }, () => sessionOf());
  /** In order of arrival, repeats included. */
  readonly received: { readonly event: NumberedEvent; readonly text: string }[] = [];
  #behaviors: readonly Behavior[] = ['ok'];
  #asked = 0;
  #process = 0;
  #store: EventStore | undefined;
  #logs: EventLog[] = [];
  #nth = 0;

  constructor(mostBytes?: number) {
    this.#world = place({ mostBytes });
  }

  async start(isResumed: boolean): Promise<void> {
    const process = ++this.#process;
    const sink = new TestSink();
    // What a dead process still has in flight may arrive, and its outcome is lost with it.
    sink.answer = (batch) => this.#answer(batch, process);
    const put: DeadLetters['put'] = async (letter) => {
      if (process !== this.#process) return new Promise(() => {});
      this.#world.letters.push(letter);
      return 'kept';
    };
    const store = this.#world.store([sink], { deadLetters: { put } });
    if (isResumed) await this.#world.recover();
    this.#store = store;
    this.#logs = await Promise.all(this.#sessions.map((session) => store.open(session, { isResumed, epoch: 1 })));
  }

  async begin(): Promise<void> {
    for (const log of this.#logs) log.append(STARTED, stateAt(0));
    await this.#world.clock.advance(70);
  }

  async take(step: Action): Promise<void> {
    const { clock, world } = this.#world;
    if (step.do === 'say') {
      for (let count = 0; count < step.count; count++) this.#say(step.session);
    } else if (step.do === 'pass') await clock.advance(step.ms);
    else if (step.do === 'behave') this.#behaviors = step.as;
    else {
      for (let turn = 0; turn < step.turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      const folder = world.folder;
      world.folder = folder?.afterCrash(folder.isWriting ? step.torn : 1);
      // The dead process can no longer send anything.
      this.#process++;
      await this.start(true);
    }
  }

  /** Ends the sessions and waits, with a consumer that accepts everything. */
  async finish(): Promise<void> {
    this.#behaviors = ['ok'];
    for (const log of this.#logs) log.append(ENDED, stateAt(this.#nth));
    const drained = Promise.all(this.#logs.map((log) => log.drained()));
    for (let minute = 0; minute < 5; minute++) await this.#world.clock.advance(60_000);
    await drained;
    await this.#store?.close();
  }

  /** @param isRoomy false if events had to make room: after a crash they may come again, after later ones */
  check(isRoomy: boolean): void {
    const letters = this.#world.letters.flatMap(({ batch }) => batch.events.map(({ json }) => json.toString()));
    for (const [index, { sessionId }] of this.#sessions.entries()) {
      const log = this.#logs[index] as EventLog;
      const mine = this.received.filter(({ event }) => event.sessionId === sessionId);
      const dead = letters
        .map((text) => JSON.parse(text) as NumberedEvent)
        .filter((event) => event.sessionId === sessionId);
      const numbers = new Set([...mine.map(({ event }) => event.sequence), ...dead.map(({ sequence }) => sequence)]);
      numbers.delete(undefined as never);
      if (log.epoch !== 1) throw new Error(`epoch ${log.epoch}`);
      for (let sequence = 1; sequence <= log.sequence; sequence++) {
        if (!numbers.has(sequence)) throw new Error(`${sequence} of ${log.sequence} is missing`);
      }
      if (numbers.size !== log.sequence) throw new Error('numbers beyond the last one');
      checkOrder(mine, isRoomy);
      if (mine.at(-1)?.event.type !== 'session.ended') throw new Error('session.ended is not the last');
    }
  }

  #say(session: number): void {
    const nth = ++this.#nth;
    this.#logs[session]?.append(finalOf(nth, `said ${nth} in process ${this.#process}`), stateAt(nth));
  }

  #answer(batch: Batch, process: number): Delivery | Promise<Delivery> {
    const behavior = this.#behaviors[this.#asked++ % this.#behaviors.length] as Behavior;
    if (process !== this.#process) return new Promise(() => {});
    if (behavior === 'ok' || behavior === 'late') this.#receive(batch);
    switch (behavior) {
      case 'ok':
        return { name: 'delivered' };
      case 'too-large':
        return batch.events.length > 1
          ? { name: 'too-large', error: 'HTTP 413' }
          : { name: 'retry', error: 'HTTP 500' };
      case 'gone':
        return { name: 'given-up', error: 'HTTP 410' };
      case 'wait':
        return { name: 'retry', error: 'HTTP 429', afterMs: 3000 };
      case 'hang':
        return this.#world.clock.sleep(15_000).then(() => ({ name: 'retry', error: 'no response within 15000 ms' }));
      default:
        return { name: 'retry', error: 'HTTP 500' };
    }
  }

  #receive({ events }: Batch): void {
    for (const { json, sequence } of events) {
      const text = json.toString();
      if (sequence !== undefined) this.received.push({ event: numberedEvent.parse(JSON.parse(text)), text });
    }
  }
}

/** The same id has the same content, and what is new follows what was there. */
function checkOrder(received: Run['received'], isRoomy: boolean): void {
  const byId = new Map<string, string>();
  let last = 0;
  for (const { event, text } of received) {
    const before = byId.get(event.id);
    if (before !== undefined && before !== text) throw new Error(`${event.id} has two contents`);
    if (isRoomy && before === undefined && event.sequence < last) throw new Error(`${event.sequence} after ${last}`);
    byId.set(event.id, text);
    last = Math.max(last, event.sequence);
  }
}

for (const [where, mostBytes] of [
  ['', undefined],
  [', also where events make room for others', 30_000],
] as const) {
  test(`whatever consumers do and whenever the process dies: every event once by id, in order, without a gap${where}`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 25 }), async (actions) => {
        const run = new Run(mostBytes);
        await run.start(false);
        // Another process cannot continue the numbers of a session that is not on disk yet.
        await run.begin();
        for (const step of actions) await run.take(step);
        await run.finish();
        run.check(mostBytes === undefined);
      }),
      { numRuns: 150 },
    );
    t.pass();
  });
}
