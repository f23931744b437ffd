export type Millis = number;

/** Where time comes from, so that a test can bring its own. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back: for deadlines, which a clock step must not move. */
  now(): Millis;
  /** Milliseconds since 1970: for signatures and what others read. */
  epoch(): Millis;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
};
