import { type IncomingMessage, request } from 'node:http';
import type { Clock, Millis } from '../runtime/clock.ts';

/** The service's link-local address on every EC2 instance. */
const DEFAULT_ENDPOINT = 'http://169.254.169.254';
/** It answers from the host itself, within a few ms: longer than this is no answer (the AWS SDK waits as long). */
const ANSWER_TIMEOUT_MS: Millis = 1000;
/** The longest that the service allows: the fewest requests. */
const TOKEN_TTL_S = 21_600;
/** A token is renewed when this part of its life is left, so that none expires under way. */
const RENEW_AT_REST = 0.1;
/** Every value here is a line; more than this is something else's answer. */
const MAX_ANSWER_CHARACTERS = 65_536;

/** EC2's notice that it takes a Spot instance back. */
export interface SpotAction {
  /** `terminate`, `stop` or `hibernate`. */
  readonly action: string;
  readonly atEpochMs: Millis;
}

/** What the instance may ask about itself. All reject with MetadataUnavailable, MetadataRefused or what is wrong with an answer. */
export interface Metadata {
  instanceId(): Promise<string>;
  region(): Promise<string>;
  /** What Auto Scaling is making of the instance, such as `InService` or `Terminated`; undefined outside a group. */
  targetLifecycleState(): Promise<string | undefined>;
  spotAction(): Promise<SpotAction | undefined>;
  /** When EC2 announced that the Spot instance is likely to be taken back; undefined when it has not. */
  rebalanceNotice(): Promise<string | undefined>;
}

/** There is nobody to ask: not on EC2, switched off, or not there at the moment. */
export class MetadataUnavailable extends Error {
  override readonly name = 'MetadataUnavailable';
}

/** The service answered with a status that is no answer. */
export class MetadataRefused extends Error {
  override readonly name = 'MetadataRefused';
  readonly status: number;

  constructor(what: string, status: number) {
    super(`The instance metadata service answered ${what} with HTTP ${status}`);
    this.status = status;
  }
}

interface Token {
  readonly value: string;
  renewAtMs: Millis;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

/**
 * The instance metadata service, version 2, where AWS_EC2_METADATA_SERVICE_ENDPOINT says, else at its usual address;
 * nowhere when AWS_EC2_METADATA_DISABLED is `true`. The same names as the AWS SDKs'.
 */
export function connectMetadata(env: Readonly<Record<string, string | undefined>>, clock: Clock): Metadata {
  const isDisabled = env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true';
  const endpoint = env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || DEFAULT_ENDPOINT;
  let token: Promise<Token> | undefined;

  async function ask(method: 'GET' | 'PUT', path: string, headers: Record<string, string>): Promise<Answer> {
    if (isDisabled) throw new MetadataUnavailable('AWS_EC2_METADATA_DISABLED is true');
    const url = URL.parse(path, endpoint);
    if (url?.protocol !== 'http:') {
      throw new MetadataUnavailable(`AWS_EC2_METADATA_SERVICE_ENDPOINT is not an http URL: ${endpoint}`);
    }
    return exchange(url, method, headers, clock.timeout(ANSWER_TIMEOUT_MS));
  }

  async function askToken(): Promise<Token> {
    const askedAtMs = clock.now();
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_S) };
    const { status, text, headers: said } = await ask('PUT', '/latest/api/token', headers);
    if (status !== 200) throw new MetadataRefused('the request for a token', status);
    const ttlS = Number(said['x-aws-ec2-metadata-token-ttl-seconds'] ?? TOKEN_TTL_S);
    return { value: text, renewAtMs: askedAtMs + ttlS * 1000 * (1 - RENEW_AT_REST) };
  }

  /** A token that is good for now; one request for it, however many wait. */
  async function freshToken(): Promise<Token> {
    const asked = token;
    // A request that failed was reported to those who made it: here it only means that there is no token.
    const known = await asked?.catch(() => undefined);
    if (known && clock.now() < known.renewAtMs) return known;
    // Somebody who waited as well may have asked already.
    if (token === asked || !token) token = askToken();
    return token;
  }

  /** The value at the path; undefined when there is none. */
  async function get(path: string): Promise<string | undefined> {
    for (let isAgain = false; ; isAgain = true) {
      const used = await freshToken();
      const { status, text } = await ask('GET', `/latest/${path}`, { 'x-aws-ec2-metadata-token': used.value });
      if (status === 200) return text.trim();
      if (status === 404) return undefined;
      if (status !== 401 || isAgain) throw new MetadataRefused(path, status);
      // The token is not good any more, whatever its age.
      used.renewAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  async function need(path: string): Promise<string> {
    const value = await get(path);
    if (!value) throw new MetadataRefused(path, 404);
    return value;
  }

  return {
    instanceId: () => need('meta-data/instance-id'),
    region: () => need('meta-data/placement/region'),
    targetLifecycleState: () => get('meta-data/autoscaling/target-lifecycle-state'),
    async spotAction() {
      const notice = await get('meta-data/spot/instance-action');
      return notice === undefined ? undefined : spotActionIn(notice);
    },
    async rebalanceNotice() {
      const notice = await get('meta-data/events/recommendations/rebalance');
      return notice === undefined ? undefined : (fieldsOf(notice)['noticeTime'] as string);
    },
  };
}

function spotActionIn(notice: string): SpotAction {
  const { action, time } = fieldsOf(notice);
  const atEpochMs = Date.parse(String(time));
  if (typeof action !== 'string' || Number.isNaN(atEpochMs)) {
    throw new Error(`spot/instance-action names no action and time: ${notice}`);
  }
  return { action, atEpochMs };
}

function fieldsOf(json: string): Record<string, unknown> {
  return JSON.parse(json) as Record<string, unknown>;
}

/**
 * One request on a connection of its own (one that was kept might just be closing) and its whole answer; rejects with
 * MetadataUnavailable.
 */
function exchange(url: URL, method: string, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      const why = signal.aborted ? `no answer within ${ANSWER_TIMEOUT_MS} ms` : cause.message;
      reject(
        new MetadataUnavailable(`The instance metadata service at ${url.origin} does not answer: ${why}`, { cause }),
      );
    };
    const call = request(url, { method, headers, signal, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        if (text.length > MAX_ANSWER_CHARACTERS) response.destroy(new Error(`${url.pathname} has no end`));
      });
      response.once('error', fail);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    call.once('error', fail).end();
  });
}
