import { traceparentFrom } from '../daemon/contract/traceparent.ts';
import { type Clock, systemClock } from '../daemon/runtime/clock.ts';
import { readAttributes } from './attributes.ts';
import { startSession } from './client.ts';
import { attributesIn, contactFactsIn, contactIdIn, kvsStreamIn, requireContactId, stoppedAtIn } from './event.ts';
import { IntegratorRefusal, TriggerFailure } from './failure.ts';
import { createLog, type Log, logOf } from './log.ts';
import { failed, type LambdaResult, type StartedSession, succeeded } from './result.ts';
import { deadlineOf } from './retry-policy.ts';
import { type Environment, readSettings, type Settings } from './settings.ts';
import { type SigningSecret, signingSecret } from './signing-secret.ts';

/** The part of Lambda's context that we use. */
export type LambdaContext = {
  getRemainingTimeInMillis?: () => number;
  /** X-Ray's trace on Lambda's managed instances, where invocations share an environment. */
  xRayTraceId?: string;
};

const STREAM_STOPPED =
  'Media streaming was stopped: the session transcribes what was streamed before, and not what is said now.';

type Handler = (event: unknown, context?: LambdaContext) => Promise<LambdaResult>;

type HandlerOptions = {
  env: Environment;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  /** Writes one line of the log; `line` has no newline. */
  writeLine: (line: string) => void;
};

/** A handler that reads its settings once, and caches the secret while it is warm. It never throws, because a contact
 *  flow cannot see an error that a function throws: failures are in its result. */
export function createHandler({ env, clock, random, writeLine }: HandlerOptions): Handler {
  const log = createLog(env['LOG_LEVEL'], clock, writeLine);
  const setup = setupOrFailure(env, clock);

  const start = (event: unknown, traceparent: string, contactLog: Log, deadlineMs: number): Promise<StartedSession> => {
    const contactId = requireContactId(event);
    const { withEmptyValue, ...requested } = readAttributes(attributesIn(event), contactId);
    for (const attribute of withEmptyValue) contactLog.warn('trigger.empty-value', { attribute });
    const kvsStream = kvsStreamIn(event);
    const stoppedAt = stoppedAtIn(event);
    if (stoppedAt !== undefined) contactLog.warn('trigger.stream-stopped', { stoppedAt, msg: STREAM_STOPPED });
    if (setup instanceof TriggerFailure) throw setup;
    const request = { contactId, kvsStream, ...requested, contact: contactFactsIn(event) };
    const options = { ...setup, clock, random, log: contactLog, deadlineMs, traceparent };
    return startSession(request, options);
  };

  return async (event, context) => {
    const startedMs = clock.now();
    // Lambda sets the variable for each invocation.
    const { traceId, traceparent } = traceparentFrom(context?.xRayTraceId ?? env['_X_AMZN_TRACE_ID']);
    const contactLog = logOf(log, { contactId: contactIdIn(event), traceId });
    const tookMs = () => Math.round(clock.now() - startedMs);
    try {
      const deadlineMs = deadlineOf(startedMs, lambdaLeftMs(context));
      const session = await start(event, traceparent, contactLog, deadlineMs);
      contactLog.info('trigger.succeeded', { ...session, tookMs: tookMs() });
      return succeeded(session);
    } catch (error) {
      const failure = error instanceof TriggerFailure ? error : internalError(error, contactLog);
      const { code, retryable, message } = failure;
      const msg = failure instanceof IntegratorRefusal ? undefined : message;
      contactLog.error('trigger.failed', { code, retryable, tookMs: tookMs(), msg });
      return failed(failure);
    }
  };
}

/** The Lambda function's entry point. */
export const handler: Handler = createHandler({
  env: process.env,
  clock: systemClock,
  random: Math.random,
  writeLine: (line) => process.stdout.write(`${line}\n`),
});

function setupOrFailure(
  env: Environment,
  clock: Clock,
): { settings: Settings; secret: SigningSecret } | TriggerFailure {
  try {
    const settings = readSettings(env);
    return { settings, secret: signingSecret(settings, clock) };
  } catch (error) {
    if (error instanceof TriggerFailure) return error;
    throw error;
  }
}

function lambdaLeftMs(context: LambdaContext | undefined): number | undefined {
  const leftMs = context?.getRemainingTimeInMillis?.();
  return Number.isFinite(leftMs) ? leftMs : undefined;
}

function internalError(error: unknown, log: Log): TriggerFailure {
  // The place, not the message: an unexpected message may quote an attribute or a secret.
  const name = error instanceof Error ? error.name : typeof error;
  const place = error instanceof Error ? error.stack?.match(/^ +at .*$/m)?.[0].trim() : undefined;
  log.error('trigger.own-fault', { name, place });
  return new TriggerFailure('trigger-fault', `Internal error of the trigger (${name}): see the place in its log.`);
}
