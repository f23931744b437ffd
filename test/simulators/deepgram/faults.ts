import { z } from 'zod';

const afterMs = z.number().nonnegative();
const closeCode = z.union([
  z.literal([1000, 1001, 1007, 1008, 1011, 1012, 1013]),
  z.number().int().min(3000).max(4999),
]);

const fault = z.union([
  /** Nothing goes wrong this time. */
  z.strictObject({ none: z.literal(true) }),
  /** The handshake is refused with this status. */
  z.strictObject({ refuse: z.number().int().min(400).max(599), dgError: z.string().optional() }),
  /** The handshake is never answered. */
  z.strictObject({ hang: z.literal(true) }),
  /** After so much audio the connection is closed, properly. */
  z.strictObject({ closeAfterMs: afterMs, code: closeCode, reason: z.string().default('') }),
  /** After so much audio the TCP connection is torn down. */
  z.strictObject({ resetAfterMs: afterMs }),
  /** After so much audio nothing is read for a while. */
  z.strictObject({ stallAfterMs: afterMs, forMs: afterMs }),
]);

/** What goes wrong with one handshake or connection; times are ms of audio received, `forMs` of real time. */
export type Fault = z.infer<typeof fault>;

export const NO_FAULT: Fault = { none: true };

/** The faults to come: each handshake takes one. */
export class FaultQueue {
  #faults: Fault[] = [];

  /** Adds the rules of a request's body; throws when it is not an array of them. */
  add(body: unknown): void {
    this.#faults.push(...z.array(fault).parse(body));
  }

  next(): Fault {
    return this.#faults.shift() ?? NO_FAULT;
  }
}
