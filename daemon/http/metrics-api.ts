import type { RequestListener, ServerResponse } from 'node:http';
import { errorFields, type Log } from '../log/log.ts';
import type { PrometheusPage } from '../metrics/prometheus.ts';
import { sendJson } from '../runtime/json-response.ts';

/** GET /metrics on a port of its own, which the load balancer need not reach. */
export function metricsApi(page: PrometheusPage, log: Log): RequestListener {
  return (request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (request.method === 'GET' && path === '/metrics') return sendMetrics(response, page, log);
    const message = `There is no ${request.method} ${path} here; there is GET /metrics`;
    sendJson(response, { status: 404, body: { reason: 'not-found', message } });
  };
}

/** Responds with the current metrics. */
export function sendMetrics(response: ServerResponse, page: PrometheusPage, log: Log): void {
  page.text().then(
    ({ contentType, text }) => {
      const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(text) };
      response.writeHead(200, headers).end(text);
    },
    (error: unknown) => {
      log.error({ event: 'metrics.failed', ...errorFields(error) }, 'could not render the metrics');
      const message = 'Internal error: see the log of integratord';
      sendJson(response, { status: 500, body: { reason: 'internal-error', message } });
    },
  );
}
