import test from 'ava';
import { BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import type { Millis } from '../../daemon/runtime/clock.ts';
import type { FakeSocket } from './fake-deepgram.ts';
import { CALLBACK, LinkStage } from './link-stage.ts';

/** The default of REPLAY_MS. */
const REPLAY_MS: Millis = 6000;
const WORD_MS: Millis = 500;
/** A pause that ends an utterance: its final result follows. */
const ENDPOINT_MS: Millis = 300;
const CALL_MS: Millis = 30_000;
/** Utterances up to REPLAY_MS long, in the time of the call. */
const UTTERANCES: readonly (readonly [fromMs: Millis, toMs: Millis])[] = [
  [500, 6500],
  [7500, 8000],
  [9000, 15_000],
  [16_000, 19_500],
  [20_500, 26_500],
  [27_500, 29_500],
];

/** A number that is different at each run of the test. */
let state = Date.now() % 2_147_483_647 || 1;
function random(): number {
  state = (state * 48_271) % 2_147_483_647;
  return state / 2_147_483_647;
}

/** The words, by their begin in the call, that a consumer gets of a connection: of whole words in utterances that ended. */
function wordsOf(socket: FakeSocket, isComplete: boolean): Millis[] {
  const fromMs = socket.offsetMs;
  const toMs = fromMs + socket.audio.length / BYTES_PER_MS;
  return UTTERANCES.filter(([, end]) => isComplete || end + ENDPOINT_MS <= toMs).flatMap(([begin, end]) =>
    Array.from({ length: (end - begin) / WORD_MS }, (_, k) => begin + k * WORD_MS).filter(
      (word) => word >= fromMs && word + WORD_MS <= toMs,
    ),
  );
}

test('in callback mode no word is lost at 50 random break times, by what a consumer assembles from final results', async (t) => {
  const seed = state;
  for (let round = 0; round < 50; round++) {
    const stage = new LinkStage();
    await stage.open(CALLBACK, { replayMs: REPLAY_MS });
    const breakMs = 100 * Math.floor(random() * (CALL_MS / 100));
    await stage.speak(breakMs);
    await stage.lose(1006);
    await stage.speak(CALL_MS - breakMs);
    const finished = stage.link.finish();
    await stage.clock.advance(2000);
    await finished;
    const [first, second] = stage.deepgram.sockets as [FakeSocket, FakeSocket];
    const heard = new Set([...wordsOf(first, false), ...wordsOf(second, true)]);
    const spoken = UTTERANCES.flatMap(([begin, end]) =>
      Array.from({ length: (end - begin) / WORD_MS }, (_, k) => begin + k * WORD_MS),
    );
    t.deepEqual(
      spoken.filter((word) => !heard.has(word)),
      [],
      `broken at ${breakMs} ms, seed ${seed}`,
    );
  }
});
