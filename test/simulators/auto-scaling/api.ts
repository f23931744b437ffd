import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { LimitedFaults } from '../limited-faults.ts';
import { QUERY_CODES, signatureFault } from '../signature.ts';
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
  readonly faults = new LimitedFaults<Fault>();
  readonly #group: Group;
  readonly #region: string;

  constructor(group: Group, region: string) {
    this.#group = group;
    this.#region = region;
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
    const unsigned = signatureFault(request.headers.authorization, this.#region, 'autoscaling');
    if (unsigned) return refuse(403, QUERY_CODES[unsigned.kind], unsigned.message);
    if (version !== '2011-01-01') return refuse(400, 'InvalidAction', `No version ${version}`);
    const fault = this.faults.take((each) => each.action === action);
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
}
