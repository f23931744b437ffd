/** A secret that the daemon works with, and that may be changed while it runs. */
export interface Secret {
  /** The value that counts now. */
  readonly current: string;
  /** The current value, and for a while after a change the one before: what others still made with that is taken. */
  readonly accepted: readonly string[];
  /** Looks whether it has been changed, if that was not done a moment ago. Never rejects: what is known still counts. */
  renew(): Promise<void>;
}

/** A secret that stays as it is for as long as the daemon runs. */
export function fixedSecret(value: string): Secret {
  return { current: value, accepted: [value], renew: async () => {} };
}
