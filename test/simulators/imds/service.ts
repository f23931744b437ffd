import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';

/** EC2's limit for the lifetime of a token. */
const MAX_TOKEN_TTL_S = 21_600;
const TTL_HEADER = 'x-aws-ec2-metadata-token-ttl-seconds';
const ROLES = '/latest/meta-data/iam/security-credentials/';
/** A role's credentials on EC2 are valid for about six hours. */
const CREDENTIALS_TTL_MS = 6 * 3_600_000;

export const stateChange = z.strictObject({
  /** null: not available, as outside an Auto Scaling group. */
  targetLifecycleState: z.string().nullable().optional(),
  spotAction: z
    .strictObject({ action: z.enum(['terminate', 'stop', 'hibernate']), time: z.iso.datetime() })
    .nullable()
    .optional(),
  /** Time of the rebalance recommendation. */
  rebalance: z.iso.datetime().nullable().optional(),
  /** What events/maintenance/scheduled has, as EC2 writes it; null: there is no such value, instead of an empty list. */
  maintenance: z.array(z.record(z.string(), z.string())).nullable().optional(),
});
/** Faults of the next requests (`times`, or all of them with null), tokens included. */
export const faultRule = z.strictObject({
  times: z.int().positive().nullable().default(1),
  fault: z.union([z.int().min(400).max(599), z.literal('hang')]),
});
export type FaultRule = z.input<typeof faultRule>;
export type StateChange = z.infer<typeof stateChange>;

/** A request and its response. */
export interface MetadataRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

interface ServiceOptions {
  readonly instanceId: string;
  readonly region: string;
}

/** The instance metadata service of one instance, version 2 only. */
export class MetadataService {
  readonly requests: MetadataRequest[] = [];
  readonly #options: ServiceOptions;
  /** Expiry of each token, on the clock of performance.now. */
  readonly #tokens = new Map<string, number>();
  #state: StateChange = { targetLifecycleState: 'InService', maintenance: [] };
  #fault: z.infer<typeof faultRule> | undefined;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  change(change: StateChange): void {
    this.#state = { ...this.#state, ...change };
  }

  /** Replaces what goes wrong. */
  setFault(fault: z.infer<typeof faultRule>): void {
    this.#fault = fault;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url: path = '' } = request;
    const fault = this.#takeFault();
    if (fault === 'hang') return;
    if (fault !== undefined) {
      response.writeHead(fault).end();
      this.requests.push({ method, path, status: fault });
      return;
    }
    if (path === '/latest/api/token') this.#giveToken(request, response);
    else if (!this.#isAuthorized(request)) response.writeHead(401).end();
    else if (method === 'GET') this.#giveValue(path, response);
    else response.writeHead(405).end();
    this.requests.push({ method, path, status: response.statusCode });
  }

  /** Expires every token, for tests that cannot wait. */
  expireTokens(): void {
    this.#tokens.clear();
  }

  #takeFault(): number | 'hang' | undefined {
    if (!this.#fault) return undefined;
    const { times, fault } = this.#fault;
    if (times !== null) this.#fault = times > 1 ? { times: times - 1, fault } : undefined;
    return fault;
  }

  #giveToken(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'PUT') {
      response.writeHead(405).end();
      return;
    }
    // EC2 refuses forwarded requests.
    if (request.headers['x-forwarded-for'] !== undefined) {
      response.writeHead(403).end();
      return;
    }
    const ttlS = Number(request.headers[TTL_HEADER]);
    if (!Number.isInteger(ttlS) || ttlS < 1 || ttlS > MAX_TOKEN_TTL_S) {
      response.writeHead(400).end();
      return;
    }
    const token = randomBytes(40).toString('base64url');
    this.#tokens.set(token, performance.now() + ttlS * 1000);
    response.writeHead(200, { 'content-type': 'text/plain', [TTL_HEADER]: String(ttlS) }).end(token);
  }

  #isAuthorized(request: IncomingMessage): boolean {
    const goodUntil = this.#tokens.get(String(request.headers['x-aws-ec2-metadata-token']));
    return goodUntil !== undefined && performance.now() < goodUntil;
  }

  #giveValue(path: string, response: ServerResponse): void {
    const value = this.#values()[path];
    if (value === undefined || value === null) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'text/plain' }).end(value);
  }

  #values(): Record<string, string | null | undefined> {
    const { targetLifecycleState, spotAction, rebalance, maintenance } = this.#state;
    return {
      '/latest/meta-data/instance-id': this.#options.instanceId,
      '/latest/meta-data/placement/region': this.#options.region,
      [ROLES]: 'integrator',
      [`${ROLES}integrator`]: roleCredentials(),
      '/latest/meta-data/autoscaling/target-lifecycle-state': targetLifecycleState,
      '/latest/meta-data/spot/instance-action': spotAction && JSON.stringify(spotAction),
      '/latest/meta-data/events/maintenance/scheduled': maintenance && JSON.stringify(maintenance),
      '/latest/meta-data/events/recommendations/rebalance': rebalance && JSON.stringify({ noticeTime: rebalance }),
    };
  }
}

/** Credentials of the instance's role. */
function roleCredentials(): string {
  const expiration = new Date(Date.now() + CREDENTIALS_TTL_MS).toISOString();
  return JSON.stringify({
    Code: 'Success',
    Type: 'AWS-HMAC',
    AccessKeyId: 'ASIAEXAMPLE',
    SecretAccessKey: 'secret-of-the-role',
    Token: 'token-of-the-role',
    Expiration: expiration,
  });
}
