import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { JSON_CODES, signatureFault } from '../signature.ts';
import { AwsError, awsHeaders, sendAwsError } from './aws-errors.ts';
import { Calls } from './calls.ts';
import { type Fault, Faults } from './faults.ts';
import { Connections, RateLimit } from './limits.ts';
import { type BodyLimits, MediaBody, notFoundChunk } from './media-body.ts';
import { readBody } from './request-body.ts';
import { type AwsRequest, RequestLog } from './request-log.ts';
import { getDataEndpointInput, getMediaInput, startOf } from './start-selector.ts';
import { Stream } from './stream.ts';

interface Settings extends BodyLimits {
  readonly region: string;
  /** Enforce AWS's request rates. */
  readonly rateLimit: boolean;
  /** AfterFragmentNumber begins with that fragment itself. */
  readonly inclusive?: boolean;
  /** Scheme of the data endpoint; http by default. */
  readonly dataEndpointScheme?: string;
}

/** Kinesis Video in one region, as seen by a consumer of GetMedia. */
export class KinesisVideo {
  readonly log = new RequestLog();
  readonly faults = new Faults();
  readonly calls = new Calls();
  readonly connections = new Connections();
  readonly #streams = new Map<string, Stream>();
  readonly #settings: Settings;
  readonly #rates = new RateLimit();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  stream(name: string): Stream | undefined {
    return this.#streams.get(name);
  }

  /** The stream of that name, created if needed. */
  ensureStream(name: string): Stream {
    const stream = this.#streams.get(name) ?? new Stream(name, this.#settings.region, this.#settings.inclusive);
    this.#streams.set(name, stream);
    return stream;
  }

  /** `POST /getDataEndpoint`: the data endpoint is this server itself. */
  getDataEndpoint(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#answer('GetDataEndpoint', request, response, getDataEndpointInput, () => {
      const { dataEndpointScheme: scheme = 'http' } = this.#settings;
      const body = JSON.stringify({ DataEndpoint: `${scheme}://${request.headers.host}` });
      response.writeHead(200, { ...awsHeaders(), 'content-type': 'application/json' }).end(body);
    });
  }

  /** `POST /getMedia`: answers immediately, then sends fragments. */
  getMedia(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#answer('GetMedia', request, response, getMediaInput, (input, stream, record, fault) => {
      record.selector = input.StartSelector;
      const release = this.connections.open(stream.name);
      if (!release) throw new AwsError('ConnectionLimitExceededException', `Too many connections to ${stream.name}`);
      response.writeHead(200, { ...awsHeaders(), 'content-type': 'video/webm' }).flushHeaders();
      const start = startOf(input.StartSelector);
      const position = stream.positionOf(start);
      if (position !== undefined) {
        const onEnd = (unused: Fault | undefined) => {
          release();
          if (unused) this.faults.putBack({ ...unused, stream: stream.name });
        };
        new MediaBody({ stream, position, response, record, fault, limits: this.#settings, onEnd });
        return;
      }
      record.endedBy = 'not-found';
      response.end(notFoundChunk('after' in start ? String(start.after) : '0'));
      release();
    });
  }

  async #answer<Input extends { StreamName?: string | undefined; StreamARN?: string | undefined }>(
    api: AwsRequest['api'],
    request: IncomingMessage,
    response: ServerResponse,
    schema: z.ZodType<Input>,
    serve: (input: Input, stream: Stream, record: AwsRequest, fault: Fault | undefined) => void,
  ): Promise<void> {
    const record = this.log.add(api);
    try {
      const body = await readBody(request);
      this.#authenticate(request.headers.authorization);
      const input = inputOf(body, schema);
      record.stream = input.StreamARN ?? input.StreamName ?? '';
      const stream = this.#streamOf(input.StreamARN, input.StreamName);
      if (this.#settings.rateLimit && !this.#rates.allows(`${api} ${stream.name}`)) {
        throw new AwsError('ClientLimitExceededException', `Rate exceeded for ${api} on stream ${stream.name}`);
      }
      const fault = this.faults.take(api, stream.name);
      if (!fault || !replaceResponse(fault, stream, response)) serve(input, stream, record, fault);
      if (response.headersSent) record.status = response.statusCode;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      record.status = error.status;
      record.error = error.name;
      sendAwsError(response, error);
    }
  }

  #authenticate(authorization: string | undefined): void {
    const fault = signatureFault(authorization, this.#settings.region, 'kinesisvideo');
    if (fault) throw new AwsError(JSON_CODES[fault.kind], fault.message);
  }

  #streamOf(arn: string | undefined, name: string | undefined): Stream {
    const [, named = name] = /^arn:aws:kinesisvideo:[a-z0-9-]+:\d{12}:stream\/([\w.-]+)\/\d+$/.exec(arn ?? '') ?? [];
    if (named === undefined)
      throw new AwsError('InvalidArgumentException', 'StreamARN or StreamName: one must be valid');
    const stream = this.#streams.get(named);
    if (!stream || (arn !== undefined && stream.arn !== arn)) {
      throw new AwsError(
        'ResourceNotFoundException',
        `The requested stream is not found or not active: ${arn ?? name}`,
      );
    }
    return stream;
  }
}

/** As a proxy on the way answers, which is not AWS. */
function sendHtml(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html' }).end(`<html><body><h1>${status}</h1></body></html>`);
}

function inputOf<Input>(body: Buffer, schema: z.ZodType<Input>): Input {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch (cause) {
    throw new AwsError('InvalidArgumentException', `The request is not JSON: ${cause}`);
  }
  const input = schema.safeParse(json);
  if (!input.success) throw new AwsError('InvalidArgumentException', input.error.message);
  return input.data;
}

/** Plays a fault that takes the place of the whole response, if this is one. Throws AwsError for an error of AWS. */
function replaceResponse(fault: Fault, stream: Stream, response: ServerResponse): boolean {
  if ('forgetFragments' in fault) stream.forget(fault.forgetFragments);
  if ('hang' in fault) return true;
  if ('error' in fault) throw new AwsError(fault.error, `${fault.error}, as asked for`);
  if (!('status' in fault)) return false;
  if (fault.html) sendHtml(response, fault.status);
  else response.writeHead(fault.status, awsHeaders()).end();
  return true;
}
