/** Deepgram query parameters of one session, as the contact flow asks for them: one value or several. */
export type DeepgramParams = Readonly<Record<string, string | readonly string[]>>;

/** The shape of the audio that we send; a caller that sets one of these is refused (original.md). */
export const LOCKED_PARAMS = {
  encoding: 'linear16',
  sample_rate: '8000',
  multichannel: 'true',
  channels: '2',
} as const;

/** The first parameter in `params` that is ours to set, or undefined. */
export function lockedParamIn(params: DeepgramParams): string | undefined {
  return Object.keys(params).find((name) => Object.hasOwn(LOCKED_PARAMS, name));
}
