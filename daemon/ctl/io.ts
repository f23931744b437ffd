import type { Readable } from 'node:stream';
import type { Clock } from '../runtime/clock.ts';

/** For terminals that do not report their width. */
export const DEFAULT_COLUMNS = 80;

/** What integratorctl uses of process.stdout. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

type Input = Readable & { readonly isTTY?: boolean };

/** Everything outside integratorctl that it uses; tests pass their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
  /** Directory of the daemon's settings file and credentials on an instance. */
  readonly etc: string;
  /** Aborts with Interrupted on Ctrl-C, with OutputClosed when the output was closed. */
  readonly stop: AbortSignal;
}
