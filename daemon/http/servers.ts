import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../log/log.ts';
import type { PrometheusPage } from '../metrics/prometheus.ts';
import type { Millis } from '../runtime/clock.ts';
import { LinesError } from '../runtime/lines-error.ts';
import { type InstanceApiOptions, instanceApi } from './instance-api.ts';
import { metricsApi } from './metrics-api.ts';

/**
 * Longer than the minute that a load balancer keeps an idle connection (idle_timeout.timeout_seconds). If we closed it
 * first, a start request on its way would get a 502.
 */
const KEEP_ALIVE_MS: Millis = 75_000;

/** The address is taken, or not ours. */
export class CannotListen extends LinesError {
  override readonly name = 'CannotListen';
}

export interface Address {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

interface Listening {
  readonly server: Server;
  readonly url: string;
}

/** Serves the load balancer and the trigger. Throws CannotListen. */
export function serveInstance(options: InstanceApiOptions, address: Address): Promise<Listening> {
  return listen(createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, instanceApi(options)), address);
}

/** Serves /metrics on a port of its own. Throws CannotListen. */
export async function serveMetrics(page: PrometheusPage, log: Log, address: Address): Promise<Listening> {
  const listening = await listen(createServer(metricsApi(page, log)), address);
  log.info({ event: 'metrics.started', metricsAt: listening.url }, 'serving /metrics');
  return listening;
}

/** Listens on the address and stops again. Throws CannotListen. */
export async function listenBriefly(address: Address): Promise<void> {
  const { server } = await listen(createServer(), address);
  server.close();
}

async function listen(server: Server, { host, port }: Address): Promise<Listening> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new CannotListen([`cannot listen on ${host}:${port}: ${whyNot(error as NodeJS.ErrnoException)}`]);
  }
  return { server, url: urlOf(server) };
}

/** In the words of the control socket's errors. */
function whyNot({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another process listens on it (is another integratord running?)';
    case 'EACCES':
      return 'this user may not listen on it: ports below 1024 are for root';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address';
    default:
      return message;
  }
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
