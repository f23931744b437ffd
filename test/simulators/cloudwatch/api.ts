import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { QUERY_CODES, signatureFault } from '../signature.ts';
import { type Put, putMetricData } from './metric-data.ts';

/** AWS JSON 1.0: API name and operation. */
const TARGET = 'GraniteServiceVersion20100801.PutMetricData';
/** Largest request of PutMetricData (API reference). */
const MAX_BODY_BYTES = 1024 * 1024;

/** A request and its response; without status while unanswered. */
export interface PutRequest {
  /** Accepted data; empty for a refused request. */
  put?: Put;
  status?: number;
  error?: string;
}

/** An error as AWS words it. */
class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** PutMetricData in one region, in the SDK's protocol: AWS JSON 1.0, compatible with AWS query. */
export class CloudWatchApi {
  readonly requests: PutRequest[] = [];
  readonly #region: string;

  constructor(region: string) {
    this.#region = region;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record: PutRequest = {};
    const body = await buffer(request);
    this.requests.push(record);
    const requestId = randomUUID();
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': requestId };
    try {
      this.#checkSignature(request.headers.authorization);
      record.put = read(request, body);
      record.status = 200;
      response.writeHead(200, headers).end('{}');
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { status, code, message } = error;
      record.status = status;
      record.error = code;
      response.writeHead(status, { ...headers, 'x-amzn-query-error': `${code};Sender` });
      response.end(JSON.stringify({ __type: `com.amazonaws.cloudwatch#${code}`, message }));
    }
  }

  #checkSignature(authorization: string | undefined): void {
    const fault = signatureFault(authorization, this.#region, 'monitoring');
    if (fault) throw new Refused(403, QUERY_CODES[fault.kind], fault.message);
  }
}

/** The data of a request. Throws Refused. */
function read({ headers }: IncomingMessage, sent: Buffer): Put {
  if (headers['x-amz-target'] !== TARGET || headers['content-type'] !== 'application/x-amz-json-1.0') {
    throw new Refused(404, 'UnknownOperationException', `No operation ${headers['x-amz-target']}`);
  }
  const body = headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
  if (body.length > MAX_BODY_BYTES) throw new Refused(413, 'RequestEntityTooLarge', `${body.length} bytes`);
  const { data, error } = putMetricData.safeParse(JSON.parse(body.toString()));
  if (error) throw new Refused(400, 'InvalidParameterValue', z.prettifyError(error));
  return data;
}
