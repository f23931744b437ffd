import { type IncomingMessage, request } from 'node:http';
import { readBody } from '../runtime/bounded-body.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { otherMachine, type ReadDmi, readDmi } from './dmi.ts';
import { type MaintenanceEvent, maintenanceEventsIn } from './maintenance.ts';

/** The service's link-local address on every EC2 instance. */
const DEFAULT_ENDPOINT = 'http://169.254.169.254';
/** The service runs on the host and responds within milliseconds. The AWS SDK waits this long too. */
const RESPONSE_TIMEOUT_MS: Millis = 1000;
/** The longest that the service allows, for the fewest requests. */
const TOKEN_TTL_S = 21_600;
/** Renews a token with this share of its lifetime left, so that none expires in flight. */
const RENEW_AT_REMAINING = 0.1;
/** Every value is one line; a longer response does not come from the metadata service. */
const MAX_RESPONSE_BYTES = 65_536;

/** EC2's notice that it will reclaim a Spot instance. */
export interface SpotAction {
  /** `terminate`, `stop` or `hibernate`. */
  readonly action: string;
  readonly atEpochMs: Millis;
}

/**
 * What an instance can read about itself. Methods reject with MetadataUnavailable, MetadataRefused, or an error about a
 * malformed value.
 */
export interface Metadata {
  /** Why there is certainly no metadata service; undefined when there is one or may be one. */
  readonly absence: string | undefined;
  instanceId(): Promise<string>;
  region(): Promise<string>;
  /** Auto Scaling's target for the instance, such as `InService` or `Terminated`; undefined outside a group. */
  targetLifecycleState(): Promise<string | undefined>;
  spotAction(): Promise<SpotAction | undefined>;
  /** When EC2 warned that it may reclaim the Spot instance; undefined without a warning. */
  rebalanceNotice(): Promise<string | undefined>;
  /** The active scheduled events of the instance and its host. */
  maintenanceEvents(): Promise<readonly MaintenanceEvent[]>;
}

/** There is no metadata service: not on EC2, switched off, or not responding. */
export class MetadataUnavailable extends Error {
  override readonly name = 'MetadataUnavailable';
}

/** The service responded with an error status. */
export class MetadataRefused extends Error {
  override readonly name = 'MetadataRefused';
  readonly status: number;

  constructor(what: string, status: number) {
    super(`The instance metadata service responded to ${what} with HTTP ${status}`);
    this.status = status;
  }
}

interface Token {
  readonly value: string;
  renewAtMs: Millis;
}

interface Response {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

/**
 * The instance metadata service, version 2, at AWS_EC2_METADATA_SERVICE_ENDPOINT or its usual address; unavailable when
 * AWS_EC2_METADATA_DISABLED is `true`. The AWS SDKs use the same variables.
 */
export function connectMetadata(
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  dmi: ReadDmi = readDmi,
): Metadata {
  const endpoint = env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || DEFAULT_ENDPOINT;
  const absence = absenceOf(env, dmi);
  let token: Promise<Token> | undefined;

  async function send(method: 'GET' | 'PUT', path: string, headers: Record<string, string>): Promise<Response> {
    if (absence !== undefined) throw new MetadataUnavailable(absence);
    const url = URL.parse(path, endpoint);
    if (url?.protocol !== 'http:') {
      throw new MetadataUnavailable(`AWS_EC2_METADATA_SERVICE_ENDPOINT is not an http URL: ${endpoint}`);
    }
    return exchange(url, method, headers, clock.timeout(RESPONSE_TIMEOUT_MS));
  }

  async function requestToken(): Promise<Token> {
    const requestedAtMs = clock.now();
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_S) };
    const { status, text, headers: granted } = await send('PUT', '/latest/api/token', headers);
    if (status !== 200) throw new MetadataRefused('the request for a token', status);
    const ttlS = Number(granted['x-aws-ec2-metadata-token-ttl-seconds'] ?? TOKEN_TTL_S);
    return { value: text, renewAtMs: requestedAtMs + ttlS * 1000 * (1 - RENEW_AT_REMAINING) };
  }

  /** A valid token. Concurrent callers share one request for it. */
  async function freshToken(): Promise<Token> {
    const last = token;
    // The callers of a failed request have its error; here it only means that there is no token.
    const known = await last?.catch(() => undefined);
    if (known && clock.now() < known.renewAtMs) return known;
    // Another caller may have requested one meanwhile.
    if (token === last || !token) token = requestToken();
    return token;
  }

  /** The value at the path; undefined when there is none. */
  async function get(path: string): Promise<string | undefined> {
    for (let isAgain = false; ; isAgain = true) {
      const used = await freshToken();
      const { status, text } = await send('GET', `/latest/${path}`, { 'x-aws-ec2-metadata-token': used.value });
      if (status === 200) return text.trim();
      if (status === 404) return undefined;
      if (status !== 401 || isAgain) throw new MetadataRefused(path, status);
      // The token is invalid, whatever its age.
      used.renewAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  async function getRequired(path: string): Promise<string> {
    const value = await get(path);
    if (!value) throw new MetadataRefused(path, 404);
    return value;
  }

  return {
    absence,
    instanceId: () => getRequired('meta-data/instance-id'),
    region: () => getRequired('meta-data/placement/region'),
    targetLifecycleState: () => get('meta-data/autoscaling/target-lifecycle-state'),
    async spotAction() {
      const notice = await get('meta-data/spot/instance-action');
      return notice === undefined ? undefined : spotActionIn(notice);
    },
    async rebalanceNotice() {
      const notice = await get('meta-data/events/recommendations/rebalance');
      return notice === undefined ? undefined : (fieldsOf(notice)['noticeTime'] as string);
    },
    maintenanceEvents: async () => maintenanceEventsIn((await get('meta-data/events/maintenance/scheduled')) ?? ''),
  };
}

/** Why there is certainly no metadata service. An endpoint that is set is always asked, whatever the machine. */
function absenceOf(env: Readonly<Record<string, string | undefined>>, dmi: ReadDmi): string | undefined {
  if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return 'AWS_EC2_METADATA_DISABLED is true';
  if (env['AWS_EC2_METADATA_SERVICE_ENDPOINT']) return undefined;
  const machine = otherMachine(dmi);
  return machine && `this is not an EC2 instance but ${machine}`;
}

function spotActionIn(notice: string): SpotAction {
  const { action, time } = fieldsOf(notice);
  const atEpochMs = Date.parse(String(time));
  if (typeof action !== 'string' || Number.isNaN(atEpochMs)) {
    throw new Error(`spot/instance-action has no action and time: ${notice}`);
  }
  return { action, atEpochMs };
}

function fieldsOf(json: string): Record<string, unknown> {
  return JSON.parse(json) as Record<string, unknown>;
}

/**
 * One request and its whole response. Uses a new connection, because a kept one may just be closing. Rejects with
 * MetadataUnavailable.
 */
function exchange(url: URL, method: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      const why = signal.aborted ? `no response within ${RESPONSE_TIMEOUT_MS} ms` : cause.message;
      reject(
        new MetadataUnavailable(`The instance metadata service at ${url.origin} does not respond: ${why}`, { cause }),
      );
    };
    const call = request(url, { method, headers, signal, agent: false }, (response) => {
      const { statusCode: status = 0, headers: received } = response;
      readBody(response, MAX_RESPONSE_BYTES).then(
        (body) => resolve({ status, text: body.toString(), headers: received }),
        fail,
      );
    });
    call.on('error', fail).end();
  });
}
