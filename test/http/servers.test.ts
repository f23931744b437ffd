import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { CannotListen, serveMetrics } from '../../daemon/http/servers.ts';
import { createLog } from '../../daemon/log/log.ts';
import type { PrometheusPage } from '../../daemon/metrics/prometheus.ts';

const page = { text: async () => ({ contentType: 'text/plain', text: 'up 1\n' }) } as PrometheusPage;

test('metrics are served on a port of their own, and nothing else is', async (t) => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => lines.push(line) });
  const { server, url } = await serveMetrics(page, log, { host: '127.0.0.1', port: 0 });
  t.teardown(() => server.close());
  t.teardown(() => server.closeAllConnections());
  const metrics = await fetch(new URL('/metrics', url));
  t.is(metrics.headers.get('content-type'), 'text/plain');
  t.is(await metrics.text(), 'up 1\n');
  t.is((await fetch(new URL('/health-check', url))).status, 404);
  t.like(JSON.parse(lines[0] as string), { event: 'metrics.started', metricsAt: url });
});

test('an address that is taken or not ours is named, with the reason', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  for (const [host, wanted, why] of [
    ['127.0.0.1', port, 'another process listens on it'],
    ['192.0.2.1', 0, 'this machine does not have that address'],
  ] as const) {
    const served = serveMetrics(page, createLog('silent'), { host, port: wanted });
    const { lines } = await t.throwsAsync(served, { instanceOf: CannotListen });
    t.regex(lines[0] as string, new RegExp(`^cannot listen on ${host}:${wanted}: .*${why}`));
  }
});
