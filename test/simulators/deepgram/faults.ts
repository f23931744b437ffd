import { z } from 'zod';

const afterMs = z.number().nonnegative();
const closeCode = z.union([
  z.literal([1000, 1001, 1007, 1008, 1011, 1012, 1013]),
  z.number().int().min(3000).max(4999),
]);

/** Affects the next handshake, or the next one with this tag. */
const whose = { tag: z.string().optional() };

/** Behavior of a connection in addition to its fault. */
const manners = {
  ...whose,
  /** Delay of the response to the handshake. */
  handshakeMs: afterMs.optional(),
  /** Delay of pongs. */
  pongMs: z.union([afterMs, z.literal('never')]).optional(),
  /** How the connection ends after CloseStream: with a close code, a TCP reset, or a FIN without a close frame. */
  end: z.union([closeCode, z.literal(['reset', 'fin'])]).optional(),
  /** Whether Metadata, the last message, is sent before that. */
  metadata: z.boolean().optional(),
  /** Whether there are final results: a Deepgram in trouble may send none for as long as a connection lasts. */
  finals: z.boolean().optional(),
};

const fault = z.union([
  /** No fault. */
  z.strictObject({ ...manners, none: z.literal(true) }),
  /** Refuses the handshake with this status; `headers` and `body` replace Deepgram's. */
  z.strictObject({
    ...manners,
    refuse: z.number().int().min(200).max(599),
    dgError: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.string().optional(),
  }),
  /** Never answers the handshake. */
  z.strictObject({ ...whose, hang: z.literal(true) }),
  /** Closes the connection after this much audio. */
  z.strictObject({ ...manners, closeAfterMs: afterMs, code: closeCode, reason: z.string().default('') }),
  /** Resets the TCP connection after this much audio. */
  z.strictObject({ ...manners, resetAfterMs: afterMs }),
  /** Stops reading for a while after this much audio. */
  z.strictObject({ ...manners, stallAfterMs: afterMs, forMs: afterMs }),
]);

/** A fault of one handshake or connection. Times are ms of received audio, except `forMs`, which is real time. */
export type Fault = z.infer<typeof fault>;

export const NO_FAULT: Fault & { none: true } = { none: true };

/** Pending faults: each handshake takes the first one that matches. */
export class FaultQueue {
  readonly #faults: Fault[] = [];

  /** Adds the faults in a request's body. Throws if they are invalid. */
  add(body: unknown): void {
    this.#faults.push(...z.array(fault).parse(body));
  }

  take(tags: readonly string[]): Fault {
    const index = this.#faults.findIndex(({ tag }) => tag === undefined || tags.includes(tag));
    return (index < 0 ? undefined : this.#faults.splice(index, 1)[0]) ?? NO_FAULT;
  }
}
