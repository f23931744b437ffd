/** No connection lasts for two days: a later time is invalid. */
const LONGEST_S = 172_800;

/** Whether a field of Deepgram's can be a time on its connection, or a duration, in seconds. */
export function isDeepgramTime(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && Math.abs(seconds) <= LONGEST_S;
}
