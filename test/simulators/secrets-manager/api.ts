import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { LimitedFaults } from '../limited-faults.ts';
import { JSON_CODES, signatureFault } from '../signature.ts';
import { Refusal, type Vault } from './vault.ts';

const CONTENT_TYPE = 'application/x-amz-json-1.1';

/** A fault of the next `times` requests (null for all). */
const faultRule = z.union([
  z.strictObject({
    times: z.int().positive().nullable().default(1),
    status: z.int().min(400).max(599),
    type: z.string().default('InternalServiceError'),
  }),
  z.strictObject({ times: z.int().positive().nullable().default(1), hang: z.literal(true) }),
]);
export const faultRules = z.array(faultRule);
type Fault = z.infer<typeof faultRule>;

const input = z.strictObject({
  SecretId: z.string().min(1),
  VersionStage: z.string().default('AWSCURRENT'),
});

/** A request and the status of its response. */
export interface SecretRequest {
  readonly secretId: string;
  readonly stage: string;
  /** Undefined until it is answered. */
  status?: number;
  error?: string;
}

/** Secrets Manager's JSON protocol in one region, with one vault. */
export class SecretsManagerApi {
  readonly requests: SecretRequest[] = [];
  readonly faults = new LimitedFaults<Fault>();
  readonly #vault: Vault;
  readonly #region: string;

  constructor(vault: Vault, region: string) {
    this.#vault = vault;
    this.#region = region;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const send = (status: number, content: object) => {
      response.writeHead(status, { 'content-type': CONTENT_TYPE, 'x-amzn-requestid': randomUUID() });
      response.end(JSON.stringify(content));
    };
    const record: SecretRequest = { secretId: '', stage: '' };
    this.requests.push(record);
    try {
      this.#authenticate(request.headers.authorization);
      const { SecretId, VersionStage } = inputOf(request, body);
      Object.assign(record, { secretId: SecretId, stage: VersionStage });
      const fault = this.faults.take();
      if (fault && 'hang' in fault) return;
      if (fault) {
        record.status = fault.status;
        record.error = fault.type;
        return send(fault.status, { __type: fault.type, Message: `${fault.type}, as asked for` });
      }
      const content = this.#vault.read(SecretId, VersionStage);
      record.status = 200;
      send(200, content);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      record.status = 400;
      record.error = error.type;
      send(400, { __type: error.type, Message: error.message });
    }
  }

  #authenticate(authorization: string | undefined): void {
    const fault = signatureFault(authorization, this.#region, 'secretsmanager');
    if (fault) throw new Refusal(JSON_CODES[fault.kind], fault.message);
  }
}

function inputOf({ headers }: IncomingMessage, body: string): z.infer<typeof input> {
  if (headers['x-amz-target'] !== 'secretsmanager.GetSecretValue' || headers['content-type'] !== CONTENT_TYPE) {
    throw new Refusal('UnknownOperationException', `${headers['x-amz-target']} as ${headers['content-type']}`);
  }
  const { data, error } = input.safeParse(JSON.parse(body));
  if (!data) throw new Refusal('ValidationException', error.message);
  return data;
}
