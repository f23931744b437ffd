import test, { type ExecutionContext } from 'ava';
import { Breaker } from './breaker.ts';
import type { Victim } from './call.ts';
import { CallBook } from './call-book.ts';
import { finalOf, interimOf } from './events.ts';

const SAID = { speaker: 'customer', text: 'It was' } as const;

/** A call whose sentences are said one after another, and what was broken. */
function callWith(t: ExecutionContext) {
  const book = new CallBook([], 1);
  const broken: Victim[] = [];
  const victims = (['deepgram', 'integratord'] as const).map((victim) => ({
    victim,
    crash: async () => void broken.push(victim),
  }));
  const breaker = new Breaker({ book, victims, onFailure: (error) => t.fail(String(error)) });
  let sequence = 0;
  return {
    book,
    broken,
    breaker,
    interim: () => book.took(interimOf('contact', { ...SAID, startMs: sequence * 2000 })),
    final: () => {
      sequence += 1;
      book.took(finalOf('contact', sequence, { ...SAID, startMs: (sequence - 1) * 2000 }));
    },
  };
}

test('nothing breaks before it is asked for', (t) => {
  const { broken, interim, final } = callWith(t);
  interim();
  final();
  t.deepEqual(broken, []);
});

test('things break one after another, in mid-sentence only', (t) => {
  const { book, broken, breaker, interim, final } = callWith(t);
  t.true(breaker.arm());
  final();
  t.deepEqual(broken, []);
  interim();
  t.deepEqual(broken, ['deepgram']);
  interim();
  t.deepEqual(broken, ['deepgram']);
  t.true(breaker.isArmed);
  final();
  final();
  interim();
  t.deepEqual(broken, ['deepgram', 'integratord']);
  t.false(breaker.isArmed);
  t.deepEqual(
    book.views()[0]?.breaks.map(({ victim }) => victim),
    ['deepgram', 'integratord'],
  );
});

test('a break cannot start while another one lasts', (t) => {
  const { breaker, interim, final } = callWith(t);
  t.true(breaker.arm());
  t.false(breaker.arm());
  interim();
  t.false(breaker.arm());
  final();
  final();
  interim();
  t.true(breaker.arm());
});

test('the first sentences stay whole if so asked', (t) => {
  const { broken, breaker, interim, final } = callWith(t);
  breaker.arm(2);
  interim();
  final();
  interim();
  t.deepEqual(broken, []);
  final();
  interim();
  t.deepEqual(broken, ['deepgram']);
});
