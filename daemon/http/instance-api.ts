import type { IncomingMessage, ServerResponse } from 'node:http';
import polka from 'polka';
import type { Clock, Millis } from '../clock.ts';
import type { InstanceMetrics } from '../observe/instance-metrics.ts';
import { errorFields, type Log } from '../observe/log.ts';
import type { PrometheusPage } from '../observe/prometheus.ts';
import type { SessionManager, Started } from '../session/manager.ts';
import { parseStartRequest } from '../session/request.ts';
import { type Answer, refusal, send, Unsigned } from './answer.ts';
import { readBody } from './body.ts';
import { sendMetrics } from './metrics-api.ts';
import { signatureFault, TIMEOUT_HEADER } from './signing.ts';

/** A contact flow's attributes have at most 32 KB (kinesis-video.md); JSON may double them. */
const MAX_BODY_BYTES = 128 * 1024;

export interface InstanceApiOptions {
  readonly manager: SessionManager;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: InstanceMetrics;
  /** What GET /metrics shows; undefined when that is on a port of its own. */
  readonly metricsPage: PrometheusPage | undefined;
  readonly region: string;
  /** The longest a start may take; a caller may ask for less. */
  readonly startTimeoutMs: Millis;
  /** TRIGGER_SECRET; without one, unsigned starts are taken. */
  readonly triggerSecret: string | undefined;
}

/** The HTTP interface that the load balancer and the trigger talk to: POST /start-session, GET /health-check. */
export function instanceApi(options: InstanceApiOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { log, metrics, metricsPage } = options;
  const app = polka({
    onNoMatch: (request, response) => {
      const message = `There is no ${request.method} here; there are POST /start-session and GET /health-check`;
      send(response, { status: 404, body: { reason: 'not-found', message, retryable: false } });
    },
  });
  app.get('/health-check', (_request, response) => send(response, health(options.manager)));
  if (metricsPage) app.get('/metrics', (_request, response) => sendMetrics(response, metricsPage, log));
  app.post('/start-session', (request, response) => {
    start(request, options).then(
      (started) => {
        metrics.startSucceeded(started.status);
        send(response, { status: 200, body: { ...started } });
      },
      (error: unknown) => {
        const answer = refusal(error);
        metrics.startFailed(answer.body['reason']);
        const fields = { event: 'start.refused', status: answer.status, reason: answer.body['reason'] };
        log[answer.status === 500 ? 'error' : 'warn']({ ...fields, ...errorFields(error) }, 'a start was refused');
        // What is left of a body that we did not read would be taken for the next request.
        const headers = { ...answer.headers, ...(request.complete ? {} : { connection: 'close' }) };
        if (!response.destroyed) send(response, { ...answer, headers });
      },
    );
  });
  return (request, response) => app.handler(request as Parameters<typeof app.handler>[0], response);
}

async function start(request: IncomingMessage, options: InstanceApiOptions): Promise<Started> {
  const { manager, clock, region, triggerSecret, startTimeoutMs } = options;
  const body = await readBody(request, MAX_BODY_BYTES);
  const fault = triggerSecret && signatureFault(triggerSecret, request.headers, body, clock.epoch());
  if (fault) throw new Unsigned(fault);
  const asked = Number(request.headers[TIMEOUT_HEADER]);
  return manager.start(
    parseStartRequest(body.toString(), region),
    asked > 0 ? Math.min(asked, startTimeoutMs) : startTimeoutMs,
  );
}

/** 200 while starts are welcome; a full, cordoned or draining instance gets none from the load balancer. */
function health({ admission, size }: SessionManager): Answer {
  const closed = admission.toldTo(size);
  return { status: closed ? 503 : 200, body: { status: closed ?? 'serving', sessions: size } };
}
