import test from 'ava';
import type { ResultsEvent } from '../../daemon/contract/events.ts';
import { CallBook } from './call-book.ts';
import { finalOf, interimOf } from './events.ts';
import { summary, Terminal } from './terminal.ts';

const SAID = { speaker: 'customer', startMs: 65_300, text: 'It was meant to be here' } as const;
const WORDS = finalOf('contact', 1, SAID);
const GUESS = interimOf('contact', { ...SAID, text: 'It was' });
const ESCAPE = '\x1b[';

/** The output for these results on a given kind of terminal. */
function written(output: { isTTY?: boolean; columns?: number }, events: readonly ResultsEvent[], env = {}): string {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  const terminal = new Terminal({ ...output, write }, env);
  const book = new CallBook([SAID], 1);
  book.listen((call, news) => terminal.show(call, news, 1));
  for (const event of events) book.took(event);
  return text;
}

test('a terminal shows each speaker in a color', (t) => {
  const customer = written({ isTTY: true }, [WORDS]);
  const agent = written({ isTTY: true }, [finalOf('contact', 1, { ...SAID, speaker: 'agent' })]);
  t.true(customer.includes('\x1b[36mcustomer  It was meant to be here\x1b[39m\n'), customer);
  t.true(agent.includes('\x1b[35magent     It was meant to be here\x1b[39m\n'), agent);
});

test('a file, and a terminal with NO_COLOR, get no color', (t) => {
  t.is(written({}, [WORDS]), '#1   1:05  customer  It was meant to be here\n');
  t.is(written({ isTTY: true }, [WORDS], { NO_COLOR: '1' }), '#1   1:05  customer  It was meant to be here\n');
});

test('interim words are shown on terminals only, until final ones replace them', (t) => {
  t.is(written({}, [GUESS, WORDS]), written({}, [WORDS]));
  const shown = written({ isTTY: true }, [GUESS, WORDS], { NO_COLOR: '1' });
  t.is(shown, '#1   1:05  customer  It was …\r\x1b[2K#1   1:05  customer  It was meant to be here\n');
});

test('an interim line never exceeds the width of the terminal', (t) => {
  const shown = written({ isTTY: true, columns: 20 }, [GUESS], { NO_COLOR: '1' });
  t.is(shown.length, 19);
});

test('a transcript contains no terminal control sequences', (t) => {
  const shown = written({}, [finalOf('contact', 1, { ...SAID, text: `${ESCAPE}2Jcleared\nnew line` })]);
  t.is(shown, '#1   1:05  customer  [2Jclearednew line\n');
});

test('a final that is delivered again is shown once', (t) => {
  t.is(written({}, [WORDS, WORDS]), written({}, [WORDS]));
});

test('lag is reported of calls that are played as they were spoken', (t) => {
  const book = new CallBook([SAID], 1);
  book.took(WORDS);
  book.ended('contact', { atMs: 0, outcome: 'completed', audioMs: 42_000, worstLagMs: 12, gapMs: 0, error: undefined });
  const [call] = book.views();
  t.regex(
    summary(call as NonNullable<typeof call>, 1, true),
    /^Call 1 ended: 0:42 of audio, worst lag 12 ms, gaps 0 ms\.$/m,
  );
  t.regex(summary(call as NonNullable<typeof call>, 1, false), /^Call 1 ended: 0:42 of audio, gaps 0 ms\.$/m);
});

test('faults of a transcript are reported', (t) => {
  const book = new CallBook([SAID, { speaker: 'agent', text: 'Goodbye' }], 1);
  book.took(WORDS);
  book.took(finalOf('contact', 3, { ...SAID, startMs: 70_000, text: 'be here' }));
  book.took({
    ...WORDS,
    type: 'session.ended',
    outcome: 'completed',
    reason: 'silence',
    sequence: 4,
    id: '5f0c1e9a-8f0e-4b63-9d1c-2f6f1c8f7a10_1_4',
  } as ResultsEvent);
  book.ended('contact', { atMs: 0, outcome: 'completed', audioMs: 0, worstLagMs: 0, gapMs: 0, error: undefined });
  const [call] = book.views();
  const lines = summary(call as NonNullable<typeof call>, 2, false)
    .split('\n')
    .slice(1);
  t.deepEqual(lines, [
    '  1 of 2 phrases are missing:',
    '    agent: Goodbye',
    '  These words came twice, or were not said:',
    '    customer: be here',
    '  Events of the call that never came: 1.',
  ]);
});
