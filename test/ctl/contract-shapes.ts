import { z } from 'zod';
import type { Status } from '../../daemon/contract/control-api.ts';

/** The control API's responses; the fake daemon and the real one are both checked against them. */

const ms = z.number().nonnegative();
const versioned = z.object({ apiVersion: z.literal(1) });

const session = z.object({
  sessionId: z.string().min(1),
  contactId: z.string().min(1),
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  state: z.enum(['running', 'ending', 'ended']),
  ageMs: ms,
  audioMs: ms,
  lagMs: ms,
  worstLagMs: ms,
  gapMs: ms,
  repeatedMs: ms,
  reconnects: z.int().nonnegative(),
  replayedMs: ms,
  worstBufferBytes: z.number().nonnegative(),
  deepgramRequestIds: z.array(z.string()),
  model: z.string().optional(),
  callbackHost: z.string().optional(),
});

const drain = z.object({
  source: z.enum(['operator', 'signal', 'lifecycle', 'spot', 'maintenance']),
  reason: z.string(),
  sinceEpochMs: ms,
  deadlineAtEpochMs: ms.nullable(),
  takesStartsUntilEpochMs: ms,
  sessionsLeft: z.int().nonnegative(),
  longestCallMs: ms,
  state: z.enum(['draining', 'ending-rest', 'drained']),
});

const level = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);
/** Lists every state, or does not compile. */
const STATES: { readonly [State in Status['state']]: State } = {
  serving: 'serving',
  full: 'full',
  cordoned: 'cordoned',
  'not-ready': 'not-ready',
  'cut-off': 'cut-off',
  draining: 'draining',
};
const state = z.enum(STATES);

const status = versioned.extend({
  version: z.string(),
  node: z.string(),
  pid: z.int().positive(),
  startedAtEpochMs: ms,
  uptimeMs: ms,
  state,
  region: z.string(),
  sessions: z.int().nonnegative(),
  maxSessions: z.int().positive(),
  cordon: z.object({ sinceEpochMs: ms, reason: z.string().optional() }).optional(),
  drain: drain.optional(),
  lifecycle: z.object({
    on: z.boolean(),
    instanceId: z.string().optional(),
    groupName: z.string().optional(),
    state: z.string().optional(),
  }),
  checkpoints: z.boolean(),
  unsignedStarts: z.boolean(),
  logLevel: level,
  lagMs: ms,
  gapMs: ms,
  lastHour: z.object({ ended: z.int().nonnegative(), failed: z.int().nonnegative(), gapMs: ms }),
});

const check = z.object({
  name: z.string().min(1),
  verdict: z.enum(['ok', 'warn', 'fail']),
  detail: z.string(),
  remedy: z.string().optional(),
});

const sessionDetails = versioned.extend({
  session,
  params: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  timeline: z.array(z.looseObject({ atEpochMs: ms, event: z.string() })),
});

const ended = z.object({
  sessionId: z.string().min(1),
  contactId: z.string().min(1),
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  outcome: z.enum(['completed', 'failed']),
  reason: z.string().min(1),
  endedAtEpochMs: ms,
  ageMs: ms.optional(),
  audioMs: ms.optional(),
  gapMs: ms.optional(),
  reconnects: z.int().nonnegative().optional(),
  worstLagMs: ms.optional(),
});

const letters = z.int().nonnegative();
const resultsStatus = versioned.extend({
  backlog: letters,
  oldestAgeMs: ms,
  deadLetters: letters,
  place: z.string().optional(),
});
const retriedLetters = versioned.extend({
  delivered: letters,
  left: letters,
  unreadable: letters,
  notRemoved: letters,
});

const stopped = versioned.extend({
  sessionId: z.string(),
  outcome: z.enum(['completed', 'failed']),
  reason: z.string().optional(),
  error: z.string().optional(),
});

const overview = versioned.extend({
  atEpochMs: ms,
  status: status.omit({ apiVersion: true }),
  totals: z.object({
    sessions: z.int().nonnegative(),
    lagMs: ms,
    gapMs: ms,
    sessionsWithGaps: z.int().nonnegative(),
    reconnects: z.int().nonnegative(),
  }),
  failed: z.object({ count: z.int().nonnegative(), latest: z.array(ended) }),
  found: z.int().nonnegative(),
  offset: z.int().nonnegative(),
  sessions: z.array(session),
});

/** The shape of a successful response, by `METHOD /path`. */
export const SHAPES: readonly (readonly [request: RegExp, shape: z.ZodType])[] = [
  [/^GET \/v1\/status$/, status],
  [/^GET \/v1\/results$/, resultsStatus],
  [/^POST \/v1\/results\/retry$/, retriedLetters],
  [/^GET \/v1\/overview(\?.*)?$/, overview],
  [/^GET \/v1\/sessions$/, versioned.extend({ sessions: z.array(session) })],
  [/^GET \/v1\/sessions\/[^/]+$/, sessionDetails],
  [/^GET \/v1\/history$/, versioned.extend({ ended: z.array(ended) })],
  [
    /^GET \/v1\/history\/[^/]+$/,
    versioned.extend({ ended, details: sessionDetails.omit({ apiVersion: true }).optional() }),
  ],
  [/^POST \/v1\/sessions\/[^/]+\/stop$/, stopped],
  [/^POST \/v1\/(cordon|uncordon)$/, versioned.extend({ state, unchanged: z.boolean() })],
  [/^(GET|POST) \/v1\/drain$/, versioned.extend({ drain })],
  [/^DELETE \/v1\/drain$/, versioned.extend({ state })],
  [/^(GET|POST) \/v1\/log-level$/, versioned.extend({ level, configured: level, untilEpochMs: ms.optional() })],
  [/^GET \/v1\/config$/, versioned.extend({ settings: z.record(z.string(), z.unknown()) })],
  [/^(GET|POST) \/v1\/doctor$/, versioned.extend({ checks: z.array(check) })],
];

/** Any refusal. */
export const REFUSAL = z.object({ reason: z.string().min(1), message: z.string().min(1) });
