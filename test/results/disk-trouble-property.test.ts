import test from 'ava';
import fc from 'fast-check';
import type { EventLog } from '../../daemon/results/event-log.ts';
import type { EventStore } from '../../daemon/results/event-store.ts';
import { ENDED, finalOf, place, STARTED, sessionOf, stateAt, TestSink } from './event-stage.ts';
import { MemoryFolder } from './memory-folder.ts';

const SESSIONS = 3;
const STATES = ['works', 'full', 'read-only'] as const;

type Action =
  | { readonly do: 'say'; readonly session: number; readonly count: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'answer'; readonly isAway: boolean }
  | { readonly do: 'disk'; readonly state: (typeof STATES)[number] }
  /** The process is killed; the disk may be another one for the next process. */
  | { readonly do: 'kill'; readonly state: (typeof STATES)[number] }
  /** The thread ends, and another one takes its sessions over. */
  | { readonly do: 'lose-thread' };

const state = fc.constantFrom(...STATES);
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant('say' as const), session: fc.nat(SESSIONS - 1), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(70, 700, 6000, 70_000) }),
  fc.record({ do: fc.constant('answer' as const), isAway: fc.boolean() }),
  fc.record({ do: fc.constant('disk' as const), state }),
  fc.record({ do: fc.constant('kill' as const), state }),
  fc.record({ do: fc.constant('lose-thread' as const) }),
);

/** A process on a disk that fails in its ways, and the consumer of its sessions. */
class Run {
  readonly #scene = place();
  readonly #sessions = Array.from({ length: SESSIONS }, () => sessionOf());
  readonly #sinks: TestSink[] = [];
  #isAway = false;
  #threads = 0;
  #nth = 0;
  #store: EventStore | undefined;
  #logs: EventLog[] = [];

  constructor() {
    this.#scene.world.runtime = new MemoryFolder();
  }

  async start(isResumed: boolean): Promise<void> {
    const thread = `worker-${++this.#threads}`;
    const sink = new TestSink();
    sink.answer = () => {
      // What a dead process has in flight does not arrive.
      if (sink !== this.#sinks.at(-1)) return new Promise(() => {});
      return this.#isAway ? { name: 'retry', error: 'HTTP 503' } : { name: 'delivered' };
    };
    this.#sinks.push(sink);
    const store = this.#scene.store([sink], { thread });
    this.#store = store;
    this.#logs = await Promise.all(this.#sessions.map((session) => store.open(session, { isResumed })));
    for (const log of this.#logs) if (log.sequence === 0) log.append(STARTED, stateAt(this.#nth));
    // Before a session is on disk, or known not to be, another process does not know its numbers.
    await this.#scene.clock.advance(70);
  }

  async take(step: Action): Promise<void> {
    const { clock, world, restart, recover } = this.#scene;
    if (step.do === 'say') {
      for (let count = 0; count < step.count; count++) {
        const nth = ++this.#nth;
        this.#logs[step.session]?.append(finalOf(nth), stateAt(nth));
      }
    } else if (step.do === 'pass') await clock.advance(step.ms);
    else if (step.do === 'answer') this.#isAway = step.isAway;
    else if (step.do === 'disk' && world.folder) world.folder.state = step.state;
    else if (step.do === 'kill') {
      restart(step.state);
      this.#threads = 0;
      await recover();
      await this.start(true);
    } else if (step.do === 'lose-thread') {
      const before = world.folder;
      // The lost thread writes nowhere anymore; threads of the process keep its names.
      world.folder = before?.afterCrash();
      world.runtime = world.runtime?.afterCrash();
      if (world.folder && before) world.folder.state = before.state;
      await recover([`worker-${this.#threads}`]);
      await this.start(true);
    }
  }

  /** The disk and the consumer work again, and the calls end. Resolves with what the next process finds. */
  async finish(): Promise<string[]> {
    const { clock, world, restart, recover } = this.#scene;
    if (world.folder) world.folder.state = 'works';
    this.#isAway = false;
    await clock.advance(60_000);
    for (const log of this.#logs) log.append(ENDED, stateAt(this.#nth));
    const drained = Promise.all(this.#logs.map((log) => log.drained()));
    await clock.advance(60_000);
    await drained;
    await this.#store?.close();
    restart();
    return recover();
  }

  check(): void {
    const contents = new Map<string, string>();
    for (const event of this.#sinks.flatMap(({ numbered }) => numbered)) {
      const text = JSON.stringify(event);
      const before = contents.get(event.id) ?? text;
      if (before !== text) throw new Error(`${event.id} has two contents: ${before} and ${text}`);
      contents.set(event.id, text);
    }
    for (const [index, { sessionId }] of this.#sessions.entries()) {
      const log = this.#logs[index] as EventLog;
      for (let sequence = 1; sequence <= log.sequence; sequence++) {
        if (!contents.has(`${sessionId}_${log.epoch}_${sequence}`)) throw new Error(`${sequence} is missing`);
      }
    }
  }
}

test('whatever the disk does and whenever the process dies: no id has two contents, and what is over stays so', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 25 }), async (actions) => {
      const run = new Run();
      await run.start(false);
      for (const step of actions) await run.take(step);
      const left = await run.finish();
      run.check();
      if (left.length > 0) throw new Error(`${left.length} sessions come back`);
    }),
    { numRuns: 150 },
  );
  t.pass();
});
