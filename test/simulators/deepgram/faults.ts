import { z } from 'zod';

const afterMs = z.number().nonnegative();
const closeCode = z.union([
  z.literal([1000, 1001, 1007, 1008, 1011, 1012, 1013]),
  z.number().int().min(3000).max(4999),
]);

/** Affects the next handshake, or the next one with this tag. */
const whose = { tag: z.string().optional() };

/** How a connection behaves besides what goes wrong. */
const manners = {
  ...whose,
  /** The handshake is answered this much later. */
  handshakeMs: afterMs.optional(),
  /** Pings are answered this much later. */
  pongMs: z.union([afterMs, z.literal('never')]).optional(),
  /** How the connection ends after CloseStream: with a close code, a TCP reset or a FIN without a close frame. */
  end: z.union([closeCode, z.literal(['reset', 'fin'])]).optional(),
  /** Whether the last message, Metadata, comes before that. */
  metadata: z.boolean().optional(),
};

const fault = z.union([
  /** Nothing goes wrong this time. */
  z.strictObject({ ...manners, none: z.literal(true) }),
  /** The handshake is refused with this status; `headers` and `body` replace Deepgram's own. */
  z.strictObject({
    ...manners,
    refuse: z.number().int().min(200).max(599),
    dgError: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.string().optional(),
  }),
  /** The handshake is never answered. */
  z.strictObject({ ...whose, hang: z.literal(true) }),
  /** After so much audio the connection is closed, properly. */
  z.strictObject({ ...manners, closeAfterMs: afterMs, code: closeCode, reason: z.string().default('') }),
  /** After so much audio the TCP connection is torn down. */
  z.strictObject({ ...manners, resetAfterMs: afterMs }),
  /** After so much audio nothing is read for a while. */
  z.strictObject({ ...manners, stallAfterMs: afterMs, forMs: afterMs }),
]);

/** What goes wrong with one handshake or connection; times are ms of audio received, `forMs` of real time. */
export type Fault = z.infer<typeof fault>;

export const NO_FAULT: Fault & { none: true } = { none: true };

/** The faults to come: each handshake takes the first that is for it. */
export class FaultQueue {
  readonly #faults: Fault[] = [];

  /** Adds the rules of a request's body; throws when it is not an array of them. */
  add(body: unknown): void {
    this.#faults.push(...z.array(fault).parse(body));
  }

  take(tags: readonly string[]): Fault {
    const index = this.#faults.findIndex(({ tag }) => tag === undefined || tags.includes(tag));
    return (index < 0 ? undefined : this.#faults.splice(index, 1)[0]) ?? NO_FAULT;
  }
}
