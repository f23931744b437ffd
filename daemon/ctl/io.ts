import type { Readable } from 'node:stream';
import type { Clock } from '../runtime/clock.ts';

/** What a terminal has when it does not say how wide it is. */
export const DEFAULT_COLUMNS = 80;

/** Where text is written to: process.stdout, or what a test puts in its place. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export type Input = Readable & { readonly isTTY?: boolean };

/** All that integratorctl knows of the io around it. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
  /** Aborts with Interrupted on Ctrl-C, with OutputClosed when nobody reads the output any more. */
  readonly stop: AbortSignal;
}
