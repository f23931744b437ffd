import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { z } from 'zod';
import { AwsError, awsHeaders, sendAwsError } from '../simulators/kinesis-video/aws-errors.ts';
import { readBody } from '../simulators/kinesis-video/request-body.ts';
import { getDataEndpointInput, getMediaInput, startOf } from '../simulators/kinesis-video/start-selector.ts';
import { Caller, type RelaySettings } from './caller.ts';
import type { TlsIdentity } from './certificates.ts';
import type { TagPlace } from './fragments.ts';
import { callOfStream, fragmentOfNumber, REGION } from './identity.ts';
import type { Rota } from './rota.ts';

const SIGNED = new RegExp(
  `^AWS4-HMAC-SHA256 Credential=[^/\\s]+/\\d{8}/${REGION}/kinesisvideo/aws4_request,.*Signature=`,
);

/** Kinesis Video for a load run: GetDataEndpoint and GetMedia, with one call per stream. */
export class LoadKinesis {
  readonly server: Server;
  readonly #callers = new Map<number, Caller>();
  readonly #rota: Rota;
  readonly #scheme: 'http' | 'https';
  readonly #tagPlace: TagPlace;
  readonly #relays: RelaySettings | undefined;

  constructor(rota: Rota, tls: TlsIdentity | undefined, tagPlace: TagPlace, relays?: RelaySettings) {
    this.#rota = rota;
    this.#tagPlace = tagPlace;
    this.#relays = relays;
    this.#scheme = tls ? 'https' : 'http';
    const listener: RequestListener = (request, response) => void this.#answer(request, response);
    this.server = tls ? createTlsServer(tls, listener) : createServer(listener);
  }

  /** The call, once it has begun or its stream has been requested. */
  caller(call: number): Caller | undefined {
    return this.#callers.get(call);
  }

  /** Begins a call before anybody reads its stream. Resolves with when its audio begins, in epoch ms. */
  beginCall(call: number): Promise<number> {
    return this.#callerOf(call).began;
  }

  get callers(): Iterable<Caller> {
    return this.#callers.values();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request);
      if (!SIGNED.test(request.headers.authorization ?? '')) {
        throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
      }
      if (request.url === '/getDataEndpoint') this.#dataEndpoint(request, response, body);
      else if (request.url === '/getMedia') this.#media(response, body);
      else throw new AwsError('InvalidArgumentException', `There is no ${request.method} ${request.url} here`);
    } catch (error) {
      // The client disconnected during its request.
      if (!request.complete) return;
      if (!(error instanceof AwsError)) throw error;
      sendAwsError(response, error);
    }
  }

  #dataEndpoint(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    callOf(inputOf(body, getDataEndpointInput));
    response.writeHead(200, { ...awsHeaders(), 'content-type': 'application/json' });
    response.end(JSON.stringify({ DataEndpoint: `${this.#scheme}://${request.headers.host}` }));
  }

  #media(response: ServerResponse, body: Buffer): void {
    const input = inputOf(body, getMediaInput);
    const call = callOf(input);
    const start = startOf(input.StartSelector);
    const beginning = 'atMs' in start ? 0 : undefined;
    const fragment = 'after' in start ? fragmentOfNumber(call, String(start.after)) : beginning;
    if (fragment === undefined) {
      throw new AwsError(
        'InvalidArgumentException',
        'A load run reads streams by the numbers of its own fragments, or by time from the beginning',
      );
    }
    // Chunks bypass the response, which would copy and frame each write; so the connection ends with the body.
    response.writeHead(200, {
      ...awsHeaders(),
      'content-type': 'video/webm',
      connection: 'close',
      'transfer-encoding': 'chunked',
    });
    response.flushHeaders();
    this.#callerOf(call).serve(response.socket as Socket, fragment);
  }

  #callerOf(call: number): Caller {
    const known = this.#callers.get(call);
    if (known) return known;
    const caller = new Caller(call, this.#tagPlace, this.#relays);
    this.#callers.set(call, caller);
    this.#rota.add(caller);
    return caller;
  }
}

function callOf({ StreamARN = '' }: { StreamARN?: string | undefined }): number {
  const call = callOfStream(StreamARN);
  if (call === undefined)
    throw new AwsError('ResourceNotFoundException', `The requested stream is not found: ${StreamARN}`);
  return call;
}

function inputOf<Input>(body: Buffer, schema: z.ZodType<Input>): Input {
  const input = schema.safeParse(parsed(body));
  if (!input.success) throw new AwsError('InvalidArgumentException', input.error.message);
  return input.data;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    throw new AwsError('InvalidArgumentException', `The request is not JSON: ${cause}`);
  }
}
