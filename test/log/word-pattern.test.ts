import test from 'ava';
import fc from 'fast-check';
import { mayMatch, wordPattern } from '../../daemon/log/word-pattern.ts';

const FORMS: readonly ((word: string) => string)[] = [
  (word) => word,
  (word) => word.toUpperCase(),
  (word) => JSON.stringify(word).slice(1, -1),
  encodeURIComponent,
  (word) => encodeURIComponent(encodeURIComponent(word)),
  (word) => new URLSearchParams([[word, '']]).toString(),
  (word) => encodeURIComponent(new URLSearchParams([[word, '']]).toString()),
  (word) => word.slice(0, 8),
  (word) => word.replace(/\d(?=\d)/g, '$& ('),
];
const words = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc.string({ minLength: 1, unit: fc.constantFrom(...'aZ 09+%&/\\"\n\u0001éß-') }),
  fc.stringMatching(/^\+?\d{3}[-. ]?\d{3}[-. ]?\d{2,6}$/),
  fc.webUrl({ withQueryParameters: true }),
);

test('what the pattern of words matches is never ruled out before', (t) => {
  let matched = 0;
  fc.assert(
    fc.property(
      fc.array(words, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(...FORMS),
      fc.string(),
      (all, form, rest) => {
        const text = `${rest}${form((all[0] as string).toWellFormed())}${rest}`;
        if (!wordPattern(all, { isJson: false })?.test(text)) return;
        matched++;
        t.true(mayMatch(all, text), JSON.stringify([all, text]));
      },
    ),
    { numRuns: 500 },
  );
  t.true(matched > 250, `only ${matched}`);
});

test('ordinary text is ruled out', (t) => {
  const values = ['nova-3', '+15550100123', 'https://user:word@host.example/calls/0?key=of-a-call', 'Jane Doe'];
  for (const text of [
    'the connection ended',
    'ECONNRESET',
    'https://kinesisvideo.us-east-1.amazonaws.com',
    '{"a":1.5}',
  ])
    t.false(mayMatch(values, text), text);
  t.true(mayMatch(values, 'model nova-3 does not exist'));
});
