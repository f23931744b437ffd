import type { IncomingMessage, ServerResponse } from 'node:http';
import polka from 'polka';
import { z } from 'zod';
import { NotCancellable } from '../admission/drain.ts';
import { LOST } from '../admission/history.ts';
import type { SessionManager } from '../admission/manager.ts';
import { isAddressedToLoopback, isFromBrowser } from '../contract/browser-guard.ts';
import {
  API_VERSION,
  type Check,
  type EndedSession,
  type ResultsStatus,
  type RetriedLetters,
  type SessionDetails,
  type SessionView,
  type Status,
  type Stopped,
} from '../contract/control-api.ts';
import { LOG_LEVELS, type LogLevel } from '../contract/log-levels.ts';
import { ORDER_LIMITS } from '../contract/order-limits.ts';
import type { Lifecycle } from '../lifecycle/lifecycle.ts';
import { errorFields, type Log, type RootLog } from '../log/log.ts';
import { BodyCutOff, BodyTooLarge, readBody } from '../runtime/bounded-body.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { type JsonResponse, sendJson } from '../runtime/json-response.ts';
import type { HostedOutcome } from '../threads/host.ts';
import { Examinations } from './examinations.ts';
import { LogLevelOrder } from './log-level.ts';
import { failedOf, overviewOf, overviewQuery, totalsOf } from './overview.ts';
import { PAGE_HEADERS, pageFileAt, sendPageFile } from './page-files.ts';

/** A reason and a number. */
const MAX_BODY_BYTES = 4096;

const reason = shortText(ORDER_LIMITS.reasonCharacters).optional();
const cordonOrder = order({ reason });
const levelOrder = order({
  level: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`),
  forMs: wholeMs(1, ORDER_LIMITS.logLevelMs).optional(),
});
const drainOrder = order({
  reason,
  deadlineMs: wholeMs(0, ORDER_LIMITS.drainDeadlineMs, ', or null').nullable().optional(),
});

function order<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, `must be a JSON object with no fields but ${known}`);
}

function shortText(longest: number) {
  const message = `must be a text of at most ${longest} characters`;
  return z.string(message).max(longest, message);
}

function wholeMs(min: Millis, max: Millis, orElse = '') {
  const message = `must be a whole number of ms from ${min} to ${max}${orElse}`;
  return z.int(message).min(min, message).max(max, message);
}

/** Settings that the control API shows or uses. */
interface ControlSettings {
  /** All settings as an operator may see them, by name. */
  readonly shown: Readonly<Record<string, string | number>>;
  readonly region: string;
  /** LOG_LEVEL: the level after a restart. */
  readonly logLevel: LogLevel;
  /** The deadline of a drain that is ordered without one; null for none. */
  readonly drainDeadlineMs: Millis | null;
  readonly hasCheckpoints: boolean;
  readonly takesUnsignedStarts: boolean;
}

interface ControlApiOptions {
  readonly manager: SessionManager;
  readonly settings: ControlSettings;
  readonly clock: Clock;
  readonly log: RootLog;
  readonly startedAtEpochMs: Millis;
  readonly version: string;
  /** What Auto Scaling and the instance metadata say. */
  readonly lifecycle: Pick<Lifecycle, 'view'>;
  readonly results: ResultsControl;
  /** Runs the doctor's checks. */
  readonly examine: () => Promise<readonly Check[]>;
}

/** What operators see and do of undelivered results. Throws what the place of dead letters fails with. */
export interface ResultsControl {
  status(): Promise<ResultsStatus>;
  retry(): Promise<RetriedLetters>;
}

/** An error response. */
class Refusal extends Error {
  readonly response: JsonResponse;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.response = { status, body: { reason, message } };
  }
}

type Handler = (request: IncomingMessage & { params: Record<string, string> }) => Promise<object> | object;

/**
 * The operators' interface: versioned JSON over HTTP for integratorctl, and the status page, which browsers reach through
 * a forwarded socket. Browsers are read-only, so that no web page can change anything here.
 */
export function controlApi(options: ControlApiOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { manager, settings, clock, log } = options;
  const { drain } = manager.admission;
  const app = polka({
    onNoMatch: (request, response) =>
      sendJson(response, new Refusal(404, 'not-found', `There is no ${request.method} ${request.url}`).response),
  });
  const on = (method: 'get' | 'post' | 'delete', path: string, handler: Handler) => {
    app[method](path, (request, response) => {
      Promise.resolve()
        .then(() => handler(request as unknown as Parameters<Handler>[0]))
        .then(
          (body) => sendJson(response, { status: 200, body: { apiVersion: API_VERSION, ...body } }),
          (error: unknown) => sendJson(response, refused(error, log)),
        );
    });
  };

  on('get', '/v1/status', async () => status(options, await manager.views()));
  on('get', '/v1/config', () => ({ settings: settings.shown }));
  const logLevel = new LogLevelOrder(log, settings.logLevel, clock);
  on('get', '/v1/log-level', () => logLevel.view());
  on('post', '/v1/log-level', async (request) => {
    const { level, forMs } = await bodyOf(request, levelOrder);
    logLevel.order(level, forMs);
    return logLevel.view();
  });
  on('get', '/v1/results', () => options.results.status().catch(noLetters));
  on('post', '/v1/results/retry', () => options.results.retry().catch(noLetters));
  const doctor = new Examinations(options.examine, clock);
  on('post', '/v1/doctor', () => doctor.fresh());
  on('get', '/v1/doctor', (request) => {
    if (!isFromBrowser(request)) return doctor.recent();
    return doctor.last ?? refuse(403, 'read-only', 'Browsers cannot run the checks: use integratorctl doctor');
  });
  on('get', '/v1/sessions', async () => ({ sessions: await manager.views() }));
  on('get', '/v1/overview', async (request) => {
    const query = queryOf(request, overviewQuery);
    const all = await manager.views();
    const ended = manager.history.list();
    const failed = log.redactor.cleaned(failedOf(ended));
    return { atEpochMs: clock.epoch(), status: status(options, all, ended), failed, ...overviewOf(all, query) };
  });
  on('get', '/v1/sessions/:id', async ({ params: { id = '' } }) => {
    const details = (await manager.details(id)) ?? noSession(id);
    return shownDetails(details, log);
  });
  on('get', '/v1/history', () => log.redactor.cleaned({ ended: manager.history.list() }));
  on('get', '/v1/history/:id', ({ params: { id = '' } }) => {
    const { ended, details } = manager.history.find(id) ?? noSession(id);
    return { ended: log.redactor.cleaned(ended), ...(details && { details: shownDetails(details, log) }) };
  });
  on('post', '/v1/sessions/:id/stop', async ({ params: { id = '' } }) => {
    const outcome = (await manager.stop(id)) ?? noSession(id);
    return { sessionId: id, ...outcomeOf(outcome, log) };
  });
  on('post', '/v1/cordon', async (request) => {
    if (drain.isDraining)
      throw new Refusal(409, 'draining', 'integratord is draining and accepts no new sessions anyway');
    const { reason: why = 'ordered by an operator' } = await bodyOf(request, cordonOrder);
    const { currentCordon } = manager.admission;
    if (currentCordon) return { state: stateOf(manager), unchanged: true };
    await manager.admission.cordon(why);
    log.info({ event: 'daemon.cordoned', reason: why }, 'cordoned: accepts no new sessions after the health lag');
    return { state: stateOf(manager), unchanged: false };
  });
  on('post', '/v1/uncordon', async () => {
    if (drain.isDraining) throw new Refusal(409, 'draining', 'integratord is draining: cancel the drain instead');
    if (!manager.admission.currentCordon) return { state: stateOf(manager), unchanged: true };
    await manager.admission.uncordon();
    log.info({ event: 'daemon.uncordoned' }, 'uncordoned: accepting sessions again');
    return { state: stateOf(manager), unchanged: false };
  });
  on('post', '/v1/drain', async (request) => {
    const { reason: why = 'ordered by an operator', deadlineMs } = await bodyOf(request, drainOrder);
    const isNew = !drain.isDraining;
    if (isNew || deadlineMs !== undefined) {
      const waitMs = deadlineMs === undefined ? settings.drainDeadlineMs : deadlineMs;
      const deadlineAtEpochMs = waitMs === null ? undefined : clock.epoch() + waitMs;
      drain.begin({ source: 'operator', reason: why, deadlineAtEpochMs });
    }
    return { drain: drain.view() };
  });
  on('get', '/v1/drain', () => {
    const view = drain.view();
    if (!view) throw new Refusal(409, 'not-draining', 'integratord is not draining');
    return { drain: view };
  });
  on('delete', '/v1/drain', () => {
    if (!drain.isDraining) throw new Refusal(409, 'not-draining', 'integratord is not draining');
    drain.cancel();
    return { state: stateOf(manager) };
  });
  return (request, response) => {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
    const refusal = callerRefusal(request);
    const file = request.method === 'GET' ? pageFileAt(request.url ?? '') : undefined;
    if (refusal) sendJson(response, refusal.response);
    else if (file) sendPageFile(response, file);
    else app.handler(request as Parameters<typeof app.handler>[0], response);
  };
}

/** Refuses what any web page could send to a socket that is forwarded to a port. */
function callerRefusal(request: IncomingMessage): Refusal | undefined {
  if (!isAddressedToLoopback(request)) {
    return new Refusal(421, 'wrong-host', `This is not ${request.headers.host}: use http://localhost`);
  }
  if (request.method === 'GET' || !isFromBrowser(request)) return undefined;
  return new Refusal(403, 'read-only', 'Browsers are read-only: use integratorctl to change anything');
}

function status(
  options: ControlApiOptions,
  sessions: readonly SessionView[],
  ended: readonly EndedSession[] = options.manager.history.list(),
): Status {
  const { manager, settings, clock, log, startedAtEpochMs, version } = options;
  const { lagMs, gapMs } = totalsOf(sessions);
  const { currentCordon: cordon, drain, maxSessions } = manager.admission;
  return {
    version,
    node: process.version,
    pid: process.pid,
    startedAtEpochMs,
    uptimeMs: clock.epoch() - startedAtEpochMs,
    state: stateOf(manager),
    region: settings.region,
    sessions: manager.size,
    maxSessions,
    cordon,
    drain: drain.view(),
    checkpoints: settings.hasCheckpoints,
    unsignedStarts: settings.takesUnsignedStarts,
    lifecycle: options.lifecycle.view(),
    logLevel: log.level,
    lagMs,
    gapMs,
    lastHour: manager.history.lastHour(ended),
  };
}

function stateOf({ admission, size }: SessionManager): Status['state'] {
  return admission.healthStatus(size) ?? 'serving';
}

function noSession(id: string): never {
  return refuse(404, 'not-found', `There is no session ${id}`);
}

/** The bucket or the disk fails. */
function noLetters(error: unknown): never {
  const { name, message } = error as Error;
  return refuse(502, 'dead-letters-unreachable', `Cannot read the dead letters: ${name}: ${message}`);
}

function refuse(status: number, reason: string, message: string): never {
  throw new Refusal(status, reason, message);
}

/** For operators: without secrets, phone numbers and the like; but the path of the callback, which tells them apart. */
function shownDetails(details: SessionDetails, log: RootLog): SessionDetails {
  const { callback } = details.params;
  const cleaned = log.redactor.cleaned(details);
  return callback === undefined ? cleaned : { ...cleaned, params: { ...cleaned.params, callback } };
}

function outcomeOf(outcome: HostedOutcome, log: RootLog): Omit<Stopped, 'sessionId'> {
  if (outcome.name === 'completed') return { outcome: 'completed', reason: outcome.reason };
  const error = outcome.name === 'failed' ? log.redactor.cleaned(outcome.error) : { error: LOST };
  return { outcome: 'failed', ...error };
}

async function bodyOf<Shape>(request: IncomingMessage, shape: z.ZodType<Shape>): Promise<Shape> {
  const text = (await readBody(request, MAX_BODY_BYTES)).toString();
  const { data, error } = shape.safeParse(text === '' ? {} : parsed(text));
  if (error) throw new Refusal(400, 'bad-request', faultsOf(error));
  return data;
}

/** A line for each fault, in the words of the orders above. */
function faultsOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.') || 'the order'} ${message}`).join('\n');
}

function queryOf<Shape>({ url = '' }: IncomingMessage, shape: z.ZodType<Shape>): Shape {
  const query = Object.fromEntries(new URLSearchParams(url.split('?')[1] ?? ''));
  const { data, error } = shape.safeParse(query);
  if (error) throw new Refusal(400, 'bad-request', z.prettifyError(error));
  return data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'bad-request', 'The body is not JSON');
  }
}

function refused(error: unknown, log: Log): JsonResponse {
  if (error instanceof Refusal) return error.response;
  if (error instanceof BodyTooLarge) {
    // The unread rest of the body would be parsed as the next request.
    const { status, body } = new Refusal(413, 'body-too-large', error.message).response;
    return { status, body, headers: { connection: 'close' } };
  }
  if (error instanceof BodyCutOff) return new Refusal(400, 'body-cut-off', error.message).response;
  if (error instanceof NotCancellable) return new Refusal(409, 'not-cancellable', error.message).response;
  log.error({ event: 'control.failed', ...errorFields(error) }, 'an operator request failed');
  return new Refusal(500, 'internal-error', 'Internal error: see the log of integratord').response;
}
