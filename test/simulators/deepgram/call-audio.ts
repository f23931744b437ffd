import { loadSampleCall, type SamplePhrase } from '../../fixtures/sample-call/read.ts';

/** The sample call. */
export const CALL = loadSampleCall();

/** Interleaves two tracks as 2-channel PCM. */
export function stereo(left: Int16Array, right: Int16Array): Buffer {
  const audio = Buffer.alloc(left.length * 4);
  left.forEach((sample, index) => {
    audio.writeInt16LE(sample, index * 4);
    audio.writeInt16LE(right[index] ?? 0, index * 4 + 2);
  });
  return audio;
}

/** The whole call, customer on channel 0. */
export const CALL_AUDIO = stereo(CALL.customer, CALL.agent);

/** Expected results of a channel if the samples of `[lostFrom, lostTo)` are missing: each phrase without the words that
 *  the loss touched. */
export function expectedOn(channel: number, lostFrom = 0, lostTo = 0): string[] {
  return phrasesOn(channel)
    .map(({ words }) => words.filter(({ startSample, endSample }) => endSample <= lostFrom || startSample >= lostTo))
    .map((words) => words.map(({ word }) => word).join(' '))
    .filter((transcript) => transcript !== '');
}

/** The phrases of this channel's speaker. */
export function phrasesOn(channel: number): SamplePhrase[] {
  return CALL.phrases.filter(({ speaker }) => speaker === (channel === 0 ? 'customer' : 'agent'));
}
