/** A secret that may change while the daemon runs. */
export interface Secret {
  readonly current: string;
  /** Values to verify with: the current one and, for a while after a change, the previous one. */
  readonly accepted: readonly string[];
  /** Reads the secret again, unless that just happened. Never rejects: after a failure the last value stays. */
  renew(): Promise<void>;
}

/** A secret that does not change while the daemon runs. */
export function fixedSecret(value: string): Secret {
  return { current: value, accepted: [value], renew: async () => {} };
}
