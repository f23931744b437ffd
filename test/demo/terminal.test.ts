import test from 'ava';
import { CallBook } from './call-book.ts';
import type { Result } from './results.ts';
import { Terminal } from './terminal.ts';

const WORDS: Result = { speaker: 'customer', startMs: 65_300, text: 'It was meant to be here', isFinal: true };
const GUESS: Result = { ...WORDS, text: 'It was', isFinal: false };
const ESCAPE = '\x1b[';

/** The output for these results on a given kind of terminal. */
function written(output: { isTTY?: boolean; columns?: number }, results: readonly Result[], env = {}): string {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  const terminal = new Terminal({ ...output, write }, env);
  const book = new CallBook([WORDS], 1);
  book.listen((call, news) => terminal.show(call, news, 1));
  for (const result of results) book.result('contact', result);
  return text;
}

test('a terminal shows each speaker in a color', (t) => {
  const customer = written({ isTTY: true }, [WORDS]);
  const agent = written({ isTTY: true }, [{ ...WORDS, speaker: 'agent' }]);
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
  const shown = written({}, [{ ...WORDS, text: `${ESCAPE}2Jcleared\nnew line` }]);
  t.is(shown, '#1   1:05  customer  [2Jclearednew line\n');
});
