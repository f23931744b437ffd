import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { type Group, Invalid } from './group.ts';
import { sendError, sendResult } from './xml.ts';

const ACTIONS = [
  'DescribeAutoScalingGroups',
  'DescribeAutoScalingInstances',
  'DescribeLifecycleHooks',
  'RecordLifecycleActionHeartbeat',
  'CompleteLifecycleAction',
  'SetInstanceHealth',
] as const;
export type Action = (typeof ACTIONS)[number];

/** A fault of the next `times` requests of an action (null for all), before the action takes effect. */
const faultRule = z.union([
  z.strictObject({
    action: z.enum(ACTIONS),
    times: z.int().positive().nullable().default(1),
    status: z.int().min(400).max(599),
    code: z.string().default('InternalFailure'),
  }),
  z.strictObject({ action: z.enum(ACTIONS), times: z.int().positive().nullable().default(1), hang: z.literal(true) }),
]);
export const faultRules = z.array(faultRule);
type Fault = z.infer<typeof faultRule>;

/** A request and its response. */
export interface ActionRequest {
  readonly action: string;
  readonly params: Readonly<Record<string, string>>;
  readonly atMs: number;
  /** Undefined until it is answered. */
  status?: number;
  error?: string;
}

/** Auto Scaling's query protocol in one region, with one group. */
export class AutoScalingApi {
  readonly requests: ActionRequest[] = [];
  readonly #group: Group;
  readonly #region: string;
  #faults: Fault[] = [];

  constructor(group: Group, region: string) {
    this.#group = group;
    this.#region = region;
  }

  addFaults(faults: readonly Fault[]): void {
    this.#faults.push(...faults);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {
      Action: action = '',
      Version: version,
      ...params
    } = Object.fromEntries(new URLSearchParams(await text(request)));
    const record: ActionRequest = { action, params, atMs: Date.now() };
    this.requests.push(record);
    const refuse = (status: number, code: string, message: string) => {
      record.status = status;
      record.error = code;
      sendError(response, status, code, message);
    };
    const unsigned = this.#signatureFault(request.headers.authorization);
    if (unsigned) return refuse(403, ...unsigned);
    if (version !== '2011-01-01') return refuse(400, 'InvalidAction', `No version ${version}`);
    const fault = this.#takeFault(action);
    if (fault && 'hang' in fault) return;
    if (fault) return refuse(fault.status, fault.code, `${fault.code}, as asked for`);
    try {
      const result = this.#group.perform(action, params);
      record.status = 200;
      sendResult(response, action, result);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      refuse(400, 'ValidationError', error.message);
    }
  }

  /** Code and message of a refusal. The signature itself is not verified, because the secret key is unknown here. */
  #signatureFault(authorization = ''): [string, string] | undefined {
    const scope =
      /^AWS4-HMAC-SHA256 Credential=[^/\s]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request,.*Signature=[0-9a-f]{64}$/;
    const [, region, service] = scope.exec(authorization) ?? [];
    if (!region) return ['MissingAuthenticationToken', 'Request is missing Authentication Token'];
    if (region === this.#region && service === 'autoscaling') return undefined;
    const scoped = `Credential should be scoped to ${this.#region}/autoscaling, not ${region}/${service}.`;
    return ['SignatureDoesNotMatch', scoped];
  }

  #takeFault(action: string): Fault | undefined {
    const fault = this.#faults.find((rule) => rule.action === action);
    if (!fault || fault.times === null) return fault;
    fault.times -= 1;
    if (fault.times === 0) this.#faults = this.#faults.filter((rule) => rule !== fault);
    return fault;
  }
}
