/** Deepgram's hosted endpoint: the default of DEEPGRAM_API and of the stack's `deepgramApi`. */
export const DEEPGRAM_API = 'wss://api.deepgram.com/v1/listen';
