import test from 'ava';
import { listenParams } from '../simulators/deepgram/params.ts';
import { type SpokenFigures, SpokenResults } from './spoken-results.ts';
import { FINAL_EVERY_MS, finalShiftMs, wordsBetween } from './words.ts';

const CALL = 5;
const CALL_MS = 14_336;

interface Sent {
  readonly channel_index: readonly [number, number];
  readonly start: number;
  readonly duration: number;
  readonly is_final: boolean;
  readonly channel: { readonly alternatives: readonly [{ readonly transcript: string }] };
}

/** Plays a connection from one time of the call to another, in messages of 64 ms. */
function played(fromMs: number, toMs: number, query = '', figures: SpokenFigures = none()) {
  const messages: Sent[] = [];
  const params = listenParams(
    new URLSearchParams(`encoding=linear16&sample_rate=8000&multichannel=true&channels=2&punctuate=true${query}`),
  );
  const results = new SpokenResults(CALL, fromMs, { requestId: 'request', params }, figures, (message) =>
    messages.push(message as Sent),
  );
  for (let ms = fromMs; ms < toMs; ms += 64) results.reached(ms);
  results.finish(toMs);
  return { messages, figures };
}

function none(): SpokenFigures {
  return { finals: 0, interims: 0, words: [0, 0] };
}

test('the finals of a channel say all of its words once, and one comes every 4 s', (t) => {
  const { messages, figures } = played(0, CALL_MS);
  for (const channel of [0, 1] as const) {
    const mine = messages.filter(({ channel_index: [index] }) => index === channel);
    const said = wordsBetween(CALL, channel, 0, CALL_MS).map(({ written }) => written);
    const transcripts = mine.map(({ channel: { alternatives } }) => alternatives[0].transcript).filter(Boolean);
    t.is(transcripts.join(' '), said.join(' '));
    t.is(figures.words[channel], said.length);
    for (const { start, duration } of mine.slice(0, -1)) {
      t.is(Math.round((start + duration) * 1000 - finalShiftMs(CALL, channel)) % FINAL_EVERY_MS, 0);
    }
  }
  t.true(messages.every(({ is_final }) => is_final));
  // The last one of a channel may have no words.
  t.is(figures.finals, messages.filter(({ channel: { alternatives } }) => alternatives[0].transcript !== '').length);
});

test('interims come between finals only if asked for', (t) => {
  const { messages, figures } = played(0, CALL_MS, '&interim_results=true');
  const finals = messages.filter(({ is_final }) => is_final).length;
  t.deepEqual([finals, figures.interims], [played(0, CALL_MS).messages.length, messages.length - finals]);
  t.true(figures.interims > 2 * finals, `${figures.interims} interims, ${finals} finals`);
});

test('another connection has times of its own, and counts no word again', (t) => {
  const { figures } = played(0, 9000);
  const { messages } = played(6000, CALL_MS, '', figures);
  t.is(messages[0]?.start, 0);
  t.deepEqual(figures.words, played(0, CALL_MS).figures.words);
});
