import { z } from 'zod';
import type { CallPlan, CallTrack } from './call.ts';
import type { Side } from './cutter.ts';
import { SEGMENT_UID } from './mkv.ts';

const BYTES_PER_SAMPLE = 2;
/** A block's offset from its cluster's timecode is a signed 16-bit number of milliseconds. */
const MAX_FRAGMENT_MS = 30_000;

const pcm = z
  .base64()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine(({ length }) => length > 0 && length % BYTES_PER_SAMPLE === 0, '16-bit PCM: an even number of bytes, not 0');

/** Connect's tracks, identified by name. */
const CONNECT_TRACKS = [
  { side: 'customer', name: 'AUDIO_FROM_CUSTOMER', number: 1 },
  { side: 'agent', name: 'AUDIO_TO_CUSTOMER', number: 2 },
] as const;

const track = z.strictObject({
  side: z.enum(['customer', 'agent']),
  name: z.string(),
  number: z.int().min(1).max(126),
  startsAtMs: z.int().nonnegative().default(0),
});

const options = z.strictObject({
  /** Where each fragment has its ContactId; Connect has it in both places. */
  contactTag: z.enum(['before', 'after', 'both', 'none']).default('after'),
  /** Fragments, counted from 0, without a ContactId. */
  untaggedFragments: z.array(z.int().nonnegative()).default([]),
  /** Which number the flow gets as StartFragmentNumber: both readings are possible. */
  startNumber: z.enum(['before', 'first']).default('before'),
  /** The same for all fragments of one run of the producer; a transfer keeps it. */
  segmentUid: z.hex().length(32).default(SEGMENT_UID),
  /** Puts elements that are in no schema before the clusters and between the blocks. */
  unknownElements: z.boolean().default(false),
  /** Block times are off by up to this much, either way. How exact Connect's are is not known. */
  inexactMs: z.int().min(0).max(60).default(0),
  /** After the fragment with this index, the producer sends the last `fragments` again, under new numbers. */
  sentAgain: z.strictObject({ after: z.int().nonnegative(), fragments: z.int().positive() }).optional(),
  cluster: z.enum(['known', 'unknown', 'unknown-short']).default('known'),
  oddBlock: z.boolean().default(true),
  /** In the order of the Tracks element; tracks without PCM are omitted. */
  tracks: z
    .array(track)
    .min(1)
    .max(2)
    .prefault([...CONNECT_TRACKS]),
  /** In these fragments, counted from 0, a side's track has a name that is not Connect's. */
  renamed: z
    .strictObject({ side: z.enum(['customer', 'agent']), fragments: z.array(z.int().nonnegative()) })
    .optional(),
  missingFragments: z.array(z.int().nonnegative()).default([]),
  awaitsReader: z.boolean().default(false),
});

/** The body of `POST /simulator/streams/:name/calls`. */
export const callRequest = z
  .strictObject({
    contactId: z.string().min(1),
    customer: pcm.optional(),
    agent: pcm.optional(),
    /** Repetitions of the PCM: a long call without a long request. The PCM is longer than a block. */
    times: z.int().positive().default(1),
    realtime: z.boolean().default(true),
    speed: z.number().positive().default(1),
    startMs: z.int().nonnegative().optional(),
    fragmentMs: z.int().min(1).max(MAX_FRAGMENT_MS).default(1024),
    options: options.prefault({}),
  })
  .refine(({ customer, agent }) => customer || agent, 'a call has PCM for customer, agent or both');

/** A request from a test or from Connect's simulator. */
export type CallRequest = z.input<typeof callRequest>;

/** The call described by a request. */
export function planOf({ options, realtime, speed, times, ...request }: z.output<typeof callRequest>): CallPlan {
  const tracks = options.tracks.flatMap((described): CallTrack[] => {
    const voice = request[described.side satisfies Side];
    return voice ? [{ ...described, pcm: voice, times }] : [];
  });
  const { contactId, startMs, fragmentMs } = request;
  return { ...options, tracks, contactId, startMs, fragmentMs, speed: realtime ? speed : undefined };
}
