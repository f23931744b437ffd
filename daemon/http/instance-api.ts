import type { IncomingMessage, ServerResponse } from 'node:http';
import polka from 'polka';
import type { Admission } from '../admission/admission.ts';
import type { SessionManager, Started } from '../admission/manager.ts';
import { type SignatureFault, signatureFaultWithAny, TIMEOUT_HEADER } from '../contract/signing.ts';
import { BadRequest, parseStartRequest } from '../contract/start-request.ts';
import { TRACEPARENT_HEADER, type TraceId, traceIdOf } from '../contract/traceparent.ts';
import { errorFields, type Log } from '../log/log.ts';
import type { InstanceMetrics } from '../metrics/instance-metrics.ts';
import type { PrometheusPage } from '../metrics/prometheus.ts';
import { startWebhookFault } from '../results/destinations.ts';
import type { WebhookRules } from '../results/webhook/webhook-url.ts';
import { BodyCutOff, readBody } from '../runtime/bounded-body.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { type JsonResponse, sendJson } from '../runtime/json-response.ts';
import type { Secret } from '../secrets/secret.ts';
import { StartTimedOut } from '../threads/host.ts';
import { refusal, Unsigned } from './answer.ts';
import { sendMetrics } from './metrics-api.ts';

/** A contact flow's attributes have at most 32 KB (daemon/kinesis/README.md); JSON may double them. */
const MAX_BODY_BYTES = 128 * 1024;

/** The longest that a start may take; a caller may ask for less. */
const START_TIMEOUT_MS: Millis = 6000;

/** The session manager, as the API uses it. */
interface Sessions extends Pick<SessionManager, 'start' | 'size'> {
  readonly admission: Pick<Admission, 'healthStatus' | 'requestArrived'>;
}

export interface InstanceApiOptions {
  readonly manager: Sessions;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<InstanceMetrics, 'startSucceeded' | 'startFailed'>;
  /** Served as GET /metrics; undefined when that has a port of its own. */
  readonly metricsPage: PrometheusPage | undefined;
  readonly region: string;
  /** TRIGGER_SECRET; without one, unsigned starts are accepted. */
  readonly triggerSecret: Secret | undefined;
  /** Which webhooks a start may name. */
  readonly webhookRules: WebhookRules;
}

/** The HTTP interface that the load balancer and the trigger talk to: POST /start-session, GET /health-check. */
export function instanceApi(options: InstanceApiOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { log, metrics, metricsPage } = options;
  const app = polka({
    onNoMatch: (request, response) => {
      const message = `There is no ${request.method} here; there are POST /start-session and GET /health-check`;
      sendJson(response, { status: 404, body: { reason: 'not-found', message, retryable: false } });
    },
  });
  for (const method of ['get', 'head'] as const) {
    app[method]('/health-check', (_request, response) => {
      options.manager.admission.requestArrived();
      sendJson(response, health(options.manager));
    });
  }
  if (metricsPage) app.get('/metrics', (_request, response) => sendMetrics(response, metricsPage, log));
  app.post('/start-session', (request, response) => {
    const about: About = { traceId: traceIdOf(request.headers[TRACEPARENT_HEADER]) };
    start(request, options, about).then(
      (started) => {
        metrics.startSucceeded(started.status);
        if (started.status === 'already-running') {
          const fields = { event: 'start.repeated', ...about, sessionId: started.sessionId };
          log.info(fields, 'an identical session is already running');
        }
        sendJson(response, { status: 200, body: { ...started } });
      },
      (error: unknown) => {
        const refused = refusal(error);
        metrics.startFailed(refused.body['reason']);
        const fields = { event: 'start.refused', ...about, status: refused.status, reason: refused.body['reason'] };
        if (error instanceof BodyCutOff) log.debug({ ...fields, ...errorFields(error) }, 'the caller hung up');
        else
          log[refused.status === 500 ? 'error' : 'warn']({ ...fields, ...errorFields(error) }, 'start request refused');
        // The unread rest of a body would be parsed as the next request.
        const headers = { ...refused.headers, ...(request.complete ? {} : { connection: 'close' }) };
        if (!response.destroyed) sendJson(response, { ...refused, headers });
      },
    );
  });
  return (request, response) => app.handler(request as Parameters<typeof app.handler>[0], response);
}

/** What is known about a start in progress, for its log lines. */
interface About {
  readonly traceId: TraceId;
  contactId?: string;
}

async function start(request: IncomingMessage, options: InstanceApiOptions, about: About): Promise<Started> {
  const { manager, clock, region, triggerSecret } = options;
  const arrivedAtMs = clock.now();
  const body = await readBody(request, MAX_BODY_BYTES);
  const fault = triggerSecret && (await faultIn(request, body, triggerSecret, clock));
  if (fault) throw new Unsigned(fault);
  const requestedMs = Number(request.headers[TIMEOUT_HEADER]);
  const startRequest = parseStartRequest(body.toString(), region);
  about.contactId = startRequest.contactId;
  const webhookFault = startWebhookFault(startRequest, options.webhookRules, triggerSecret !== undefined);
  if (webhookFault) throw new BadRequest('bad-webhook', webhookFault);
  const timeoutMs = requestedMs > 0 ? Math.min(requestedMs, START_TIMEOUT_MS) : START_TIMEOUT_MS;
  const leftMs = timeoutMs - (clock.now() - arrivedAtMs);
  if (leftMs <= 0) throw new StartTimedOut(`Reading and checking the request took longer than ${timeoutMs} ms`);
  return manager.start(startRequest, leftMs, about.traceId);
}

/** What is wrong with the signature; a bad one may mean that the secret has changed. */
async function faultIn(
  { headers }: IncomingMessage,
  body: Buffer,
  secret: Secret,
  clock: Clock,
): Promise<SignatureFault | undefined> {
  const fault = signatureFaultWithAny(secret.accepted, headers, body, clock.epoch());
  if (fault !== 'bad-signature') return fault;
  await secret.renew();
  return signatureFaultWithAny(secret.accepted, headers, body, clock.epoch());
}

/** Not 200 while the load balancer should send no starts: full, cordoned, not ready or draining. */
function health({ admission, size }: Sessions): JsonResponse {
  const closed = admission.healthStatus(size);
  return { status: closed ? 503 : 200, body: { status: closed ?? 'serving', sessions: size } };
}
