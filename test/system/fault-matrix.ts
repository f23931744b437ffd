import type { Fault } from '../simulators/deepgram/faults.ts';
import type { CallDescription, FaultRule } from '../simulators/kinesis-video/client.ts';

/** A fault of one GetMedia or GetDataEndpoint of the call's stream. */
type KinesisFault = FaultRule extends infer Rule ? (Rule extends unknown ? Omit<Rule, 'stream'> : never) : never;

/** A fault in a call of 12 s, and the required outcome. */
export interface Row {
  /** Where the fault is described. */
  readonly source: 'daemon/kinesis/README.md' | 'daemon/deepgram/README.md' | 'daemon/README.md';
  readonly fault: string;
  /** For the next requests or handshakes, in order. */
  readonly kinesis?: readonly KinesisFault[];
  readonly deepgram?: readonly Fault[];
  readonly call?: Partial<Omit<CallDescription, 'contactId' | 'customer' | 'agent'>>;
  /** The part of the call that must arrive; `silentMs` is missing in the stream itself. */
  readonly arrives:
    | 'all'
    | 'nothing'
    | { readonly silentMs: readonly (readonly [from: number, to: number])[] }
    | 'what came before';
  readonly outcome: 'completed' | 'failed';
  /** Events that the daemon's log must have, apart from the session's start and end. */
  readonly reported: readonly string[];
  readonly reconnects?: number;
  /** The error in `session.ended`. */
  readonly error?: RegExp;
}

/** A fragment starts at every multiple of this time. */
export const FRAGMENT_MS = 1024;
/** Ends the first connection during the call, so that the next request can have a fault, too. */
const cut = { endAfterFragments: 3 } as const;

export const KINESIS_ROWS: readonly Row[] = [
  {
    source: 'daemon/kinesis/README.md',
    fault: 'the body ends without an error',
    kinesis: [cut],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.ended', 'kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'the body ends repeatedly, after one fragment each',
    kinesis: Array.from({ length: 5 }, () => ({ endAfterFragments: 1 })),
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'the connection breaks within a fragment',
    kinesis: [{ resetAfterBytes: 50_000 }, { resetAfterBytes: 30_001 }],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.ended', 'kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'the connection stays open but stalls',
    kinesis: [{ stallAfterFragments: 4 }],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.ended', 'kinesis.resumed'],
  },
  ...(['ClientLimitExceededException', 'ConnectionLimitExceededException'] as const).map(
    (error): Row => ({
      source: 'daemon/kinesis/README.md',
      fault: `resuming gets ${error}`,
      kinesis: [cut, { error }, { error }],
      arrives: 'all',
      outcome: 'completed',
      reported: ['kinesis.refused', 'kinesis.resumed'],
    }),
  ),
  {
    source: 'daemon/kinesis/README.md',
    fault: 'the endpoint has expired',
    kinesis: [cut, { error: 'InvalidEndpointException' }],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.refused', 'kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'resuming gets HTTP 500, then 503',
    kinesis: [cut, { status: 500 }, { status: 503 }],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.refused', 'kinesis.resumed'],
  },
  {
    source: 'daemon/README.md',
    fault: 'resuming gets no response',
    kinesis: [cut, { hang: true }],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.refused', 'kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'the stream is deleted during the call',
    kinesis: [cut, { error: 'ResourceNotFoundException' }],
    arrives: 'what came before',
    outcome: 'failed',
    reported: [],
    error: /ResourceNotFoundException/,
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'the role loses its permission for a moment during the call',
    kinesis: [cut, { error: 'NotAuthorizedException' }],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.refused', 'kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'resuming gets an expired token, a wrong signature, HTTP 429 and a proxy’s HTML',
    kinesis: [
      cut,
      { error: 'ExpiredTokenException' },
      { error: 'InvalidSignatureException' },
      { error: 'TooManyRequestsException' },
      { status: 403, html: true },
    ],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.refused', 'kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'error 5000 inside the stream, for longer than the grace period',
    kinesis: [cut, { errorAfterFragments: 0, errorId: 5000, errorCode: 'Internal error', forMs: 3000 }],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.refused', 'kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'StartFragmentNumber names the first fragment',
    call: { options: { startNumber: 'first', contactTag: 'both' } },
    arrives: 'all',
    outcome: 'completed',
    reported: [],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'fragments lack a ContactId, also the last one, and have unknown elements',
    call: { options: { untaggedFragments: [3, 4, 7, 11], contactTag: 'both', unknownElements: true } },
    arrives: 'all',
    outcome: 'completed',
    reported: [],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'error 5000 inside the stream',
    kinesis: [{ errorAfterFragments: 3, errorId: 5000, errorCode: 'Internal error' }],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'error 4000 inside the stream: the fragment is not found',
    kinesis: [{ errorAfterFragments: 3, errorId: 4000, errorCode: 'Requested fragment is not found' }],
    arrives: 'all',
    outcome: 'completed',
    reported: ['kinesis.fragment-gone', 'kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'the outage is longer than the stream keeps its fragments',
    kinesis: [cut, { status: 503, forgetFragments: 5 }],
    arrives: { silentMs: [[3 * FRAGMENT_MS, 5 * FRAGMENT_MS]] },
    outcome: 'completed',
    reported: ['kinesis.refused', 'kinesis.fragment-gone', 'audio.gap'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'error 4502 inside the stream: its KMS key cannot be used',
    kinesis: [{ errorAfterFragments: 3, errorId: 4502, errorCode: 'KMS key access denied' }],
    arrives: 'what came before',
    outcome: 'failed',
    reported: [],
    error: /error 4502 KMS key access denied/,
  },
  {
    source: 'daemon/README.md',
    fault: 'bytes in the middle are not Matroska',
    kinesis: [{ corruptAfterBytes: 3 * 35_000, bytes: Buffer.alloc(4000, 0xff).toString('base64') }],
    arrives: 'what came before',
    outcome: 'completed',
    reported: ['kinesis.discarded', 'audio.gap'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'block times are off by up to 60 ms, and the last 3 s are sent again',
    call: { options: { inexactMs: 60, sentAgain: { after: 6, fragments: 3 } } },
    kinesis: [cut],
    arrives: 'all',
    outcome: 'completed',
    reported: ['audio.repeated', 'kinesis.resumed'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'the producer reconnects and sends the last 5 s again',
    call: { options: { sentAgain: { after: 8, fragments: 5 } } },
    arrives: 'all',
    outcome: 'completed',
    reported: ['audio.repeated'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'fragments never reached the stream',
    call: { options: { missingFragments: [4, 5, 8], oddBlock: false } },
    arrives: {
      silentMs: [
        [4 * FRAGMENT_MS, 6 * FRAGMENT_MS],
        [8 * FRAGMENT_MS, 9 * FRAGMENT_MS],
      ],
    },
    outcome: 'completed',
    reported: ['audio.gap'],
  },
  {
    source: 'daemon/kinesis/README.md',
    fault: 'no fragment carries a ContactId',
    call: { options: { contactTag: 'none' } },
    arrives: 'nothing',
    outcome: 'failed',
    reported: ['kinesis.discarded'],
    error: /NoAudio/,
  },
];

const lost = { arrives: 'all', outcome: 'completed', reported: ['deepgram.lost', 'deepgram.reconnected'] } as const;

export const DEEPGRAM_ROWS: readonly Row[] = [
  {
    source: 'daemon/deepgram/README.md',
    fault: 'the connection breaks (1006)',
    deepgram: [{ resetAfterMs: 4000 }],
    reconnects: 1,
    ...lost,
  },
  ...(
    [
      [1011, 'NET-0000'],
      [1011, 'NET-0001'],
      [1008, 'DATA-0000'],
      [1012, ''],
      [1000, ''],
    ] as const
  ).map(
    ([code, reason]): Row => ({
      source: 'daemon/deepgram/README.md',
      fault: `closes with ${code} ${reason || 'and no reason'} during the call`,
      deepgram: [{ closeAfterMs: 4000, code, reason }],
      reconnects: 1,
      ...lost,
    }),
  ),
  {
    source: 'daemon/deepgram/README.md',
    fault: 'reconnecting gets 429, then 500, then no response',
    deepgram: [{ resetAfterMs: 4000 }, { refuse: 429 }, { refuse: 500 }, { hang: true }],
    reconnects: 1,
    ...lost,
  },
  {
    source: 'daemon/README.md',
    fault: 'each new connection breaks too, four times',
    deepgram: [2000, 1000, 3000, 2500].map((resetAfterMs) => ({ resetAfterMs })),
    reconnects: 4,
    ...lost,
  },
  {
    source: 'daemon/deepgram/README.md',
    fault: 'reconnecting gets 402: out of credit',
    deepgram: [{ resetAfterMs: 4000 }, { refuse: 402, dgError: 'no credit' }],
    arrives: 'what came before',
    outcome: 'failed',
    reported: ['deepgram.lost'],
    error: /DeepgramRefused: .*no credit \(HTTP 402/,
  },
  {
    source: 'daemon/README.md',
    fault: 'stalls for 1.5 s, then continues',
    deepgram: [{ stallAfterMs: 3000, forMs: 1500 }],
    arrives: 'all',
    outcome: 'completed',
    reported: [],
    reconnects: 0,
  },
];
