import { traceparentFrom } from '../daemon/contract/traceparent.ts';
import { type Clock, systemClock } from '../daemon/runtime/clock.ts';
import { readAttributes } from './attributes.ts';
import { startSession } from './client.ts';
import { attributesIn, contactIdIn, kvsStreamIn, requireContactId } from './event.ts';
import { IntegratorRefusal, TriggerFailure } from './failure.ts';
import { createLog, type Log, logOf } from './log.ts';
import { failed, type LambdaResult, type StartedSession, succeeded } from './result.ts';
import { deadlineOf } from './retry-policy.ts';
import { type Environment, readSettings, type Settings } from './settings.ts';
import { type SigningSecret, signingSecret } from './signing-secret.ts';

/** What we use of Lambda's context. */
export type LambdaContext = {
  getRemainingTimeInMillis?: () => number;
  /** On Lambda's managed instances, where invocations share an environment, X-Ray's trace is here. */
  xRayTraceId?: string;
};

export type Handler = (event: unknown, context?: LambdaContext) => Promise<LambdaResult>;

export type HandlerOptions = {
  env: Environment;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  /** Takes one line of the log, without its end of line. */
  writeLine: (line: string) => void;
};

/** A handler that reads its settings once, and keeps the secret while it is warm. It never throws: whatever goes wrong is in its answer, because a
 *  contact flow cannot see what a function throws. */
export function createHandler({ env, clock, random, writeLine }: HandlerOptions): Handler {
  const log = createLog(env['LOG_LEVEL'], clock, writeLine);
  const setup = setupOrFailure(env, clock);

  const start = (event: unknown, traceparent: string, contactLog: Log, deadlineMs: number): Promise<StartedSession> => {
    const contactId = requireContactId(event);
    const { withEmptyValue, ...wishes } = readAttributes(attributesIn(event), contactId);
    for (const attribute of withEmptyValue) contactLog.warn('trigger.empty-value', { attribute });
    const kvsStream = kvsStreamIn(event);
    if (setup instanceof TriggerFailure) throw setup;
    const request = { contactId, kvsStream, ...wishes };
    const options = { ...setup, clock, random, log: contactLog, deadlineMs, traceparent };
    return startSession(request, options);
  };

  return async (event, context) => {
    const startedMs = clock.now();
    // Lambda sets the variable anew for each invocation.
    const { traceId, traceparent } = traceparentFrom(context?.xRayTraceId ?? env['_X_AMZN_TRACE_ID']);
    const contactLog = logOf(log, { contactId: contactIdIn(event), traceId });
    const tookMs = () => Math.round(clock.now() - startedMs);
    try {
      const deadlineMs = deadlineOf(startedMs, lambdaLeftMs(context));
      const session = await start(event, traceparent, contactLog, deadlineMs);
      contactLog.info('trigger.succeeded', { ...session, tookMs: tookMs() });
      return succeeded(session);
    } catch (error) {
      const failure = error instanceof TriggerFailure ? error : ownFault(error, contactLog);
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

function ownFault(error: unknown, log: Log): TriggerFailure {
  // The place and not the message: an unforeseen message may quote what it tripped over.
  const name = error instanceof Error ? error.name : typeof error;
  const place = error instanceof Error ? error.stack?.match(/^ +at .*$/m)?.[0].trim() : undefined;
  log.error('trigger.own-fault', { name, place });
  return new TriggerFailure('trigger-fault', `The trigger itself failed (${name}): see its log for the place.`);
}
