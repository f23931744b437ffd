import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { JSON_CODES, signatureFault } from '../signature.ts';
import type { Faults, RequestFault } from './faults.ts';
import { type DataStreams, Refused } from './operations.ts';

/** AWS JSON 1.1, which @aws-sdk/client-kinesis sends: API name and operation. */
const TARGET = /^Kinesis_20131202\.(?<operation>\w+)$/;
const CONTENT_TYPE = 'application/x-amz-json-1.1';

/** A PutRecords request. */
export interface PutRequest {
  /** Partition keys of its records, in order. */
  readonly partitionKeys: readonly string[];
  /** Requests that were in progress when it arrived, itself included. */
  readonly inFlight: number;
  /** Undefined while it is unanswered. */
  status?: number;
  error?: string;
}

/** Kinesis Data Streams in one region, in the SDK's protocol. */
export class KinesisApi {
  readonly requests: PutRequest[] = [];
  readonly #streams: DataStreams;
  readonly #faults: Faults;
  readonly #region: string;
  #inFlight = 0;

  constructor(streams: DataStreams, faults: Faults, region: string) {
    this.#streams = streams;
    this.#faults = faults;
    this.#region = region;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#inFlight += 1;
    response.once('close', () => {
      this.#inFlight -= 1;
    });
    const body = await text(request);
    const record: PutRequest = { partitionKeys: partitionKeysIn(body), inFlight: this.#inFlight };
    const isPut = operationOf(request) === 'PutRecords';
    if (isPut) this.requests.push(record);
    const send = (status: number, content: object) => {
      record.status = status;
      response.writeHead(status, { 'content-type': CONTENT_TYPE, 'x-amzn-requestid': randomUUID() });
      response.end(JSON.stringify(content));
    };
    try {
      this.#authenticate(request.headers.authorization);
      const fault = isPut ? this.#faults.takeForRequest() : undefined;
      if (fault && 'hang' in fault) return;
      refuseIfAsked(fault);
      const result = this.#streams.execute(operationOf(request), inputOf(request, body));
      if (fault) response.destroy();
      else send(200, result);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      record.error = error.type;
      send(error.status, { __type: error.type, message: error.message });
    }
  }

  #authenticate(authorization: string | undefined): void {
    const fault = signatureFault(authorization, this.#region, 'kinesis');
    if (fault) throw new Refused(JSON_CODES[fault.kind], fault.message);
  }
}

function operationOf({ headers }: IncomingMessage): string {
  return TARGET.exec(String(headers['x-amz-target']))?.groups?.['operation'] ?? '';
}

function inputOf({ headers }: IncomingMessage, body: string): unknown {
  if (headers['content-type'] !== CONTENT_TYPE) throw new Refused('UnknownOperationException', 'Not AWS JSON 1.1');
  try {
    return JSON.parse(body);
  } catch {
    throw new Refused('SerializationException', 'The body is not JSON');
  }
}

function partitionKeysIn(body: string): string[] {
  return [...body.matchAll(/"PartitionKey":"([^"]*)"/g)].map(([, key = '']) => key);
}

function refuseIfAsked(fault: RequestFault | undefined): void {
  if (fault && 'request' in fault) throw new Refused(fault.request, `${fault.request}, as asked for`, fault.status);
}
