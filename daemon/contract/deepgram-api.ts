/** Deepgram's own endpoint: the default of DEEPGRAM_API, here and in the stack. */
export const DEEPGRAM_API = 'wss://api.deepgram.com/v1/listen';
