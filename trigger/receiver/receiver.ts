import type { Clock } from '../../daemon/runtime/clock.ts';
import type { Log } from '../log.ts';
import { hasToken } from './bearer.ts';
import type { CachedSecret } from './cached-secret.ts';
import type { ReceivedEvent } from './event.ts';
import { BadBody, contactIdOf, numberedEventsOf } from './request.ts';
import { type Headers, type SignatureFault, signatureFault } from './signature.ts';
import { callPrefix, isKeyPart, isRequestKey, requestKey, type Store } from './store.ts';
import { asText, transcriptsOf } from './transcript.ts';

/** integratord sends at most 256 KiB, unless a single event is larger. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** Objects that are read together, for a call of hours that has thousands. */
const READS_AT_ONCE = 32;

export interface Request {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface ReceiverOptions {
  /** The key of the webhook's signatures. */
  readonly key: CachedSecret<Buffer>;
  /** The bearer token of readers. */
  readonly token: CachedSecret<string>;
  readonly store: Store;
  readonly clock: Pick<Clock, 'epoch'>;
  readonly log: Log;
}

/** Keeps the signed requests of integratord, and puts a call's transcript together when a reader asks for it. */
export class Receiver {
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Never rejects: integratord sends again what gets no 2xx. */
  async answer(request: Request): Promise<Response> {
    try {
      if (request.method === 'POST') return await this.#receive(request);
      const [, contactId] = /^\/calls\/([^/]+)$/.exec(request.path) ?? [];
      if (contactId === undefined) return failure(404, 'no such path: POST events to any, or GET /calls/ID');
      if (request.method !== 'GET') return failure(405, 'only GET', { allow: 'GET' });
      return await this.#read(contactId, request.headers);
    } catch (error) {
      // The place, not the message, which may quote an event or a secret.
      const { name, stack } = error as Error;
      this.#options.log.error('receiver.failed', { name, place: stack?.match(/^ +at .*$/m)?.[0].trim() });
      return failure(500, 'internal error: see the log of the receiver');
    }
  }

  async #receive({ headers, body }: Request): Promise<Response> {
    const { store, log } = this.#options;
    if (body.length > MAX_BODY_BYTES) return failure(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
    const fault = await this.#faultOf(headers, body);
    if (fault) {
      log.warn('receiver.refused', { fault });
      return failure(401, 'the signature is missing, wrong or too old');
    }
    const webhookId = headers['webhook-id'] ?? '';
    try {
      const contactId = contactIdOf(body);
      if (contactId === undefined) return { status: 204, headers: {}, body: '' };
      if (!isKeyPart(contactId)) return failure(400, 'contactId is not the id of a contact');
      if (!isKeyPart(webhookId)) return failure(400, 'webhook-id has characters that integratord does not use');
      await store.put(requestKey(contactId, webhookId), body);
      log.debug('receiver.kept', { contactId, webhookId });
      return { status: 204, headers: {}, body: '' };
    } catch (error) {
      if (!(error instanceof BadBody)) throw error;
      return failure(400, error.message);
    }
  }

  async #faultOf(headers: Headers, body: Uint8Array): Promise<SignatureFault | undefined> {
    const { key, clock } = this.#options;
    let fault: SignatureFault | undefined;
    await key.isAccepted((current) => {
      fault = signatureFault(current, headers, body, clock.epoch());
      return fault !== 'bad-signature';
    });
    return fault;
  }

  async #read(encodedId: string, headers: Headers): Promise<Response> {
    const { authorization, accept } = headers;
    // First of all: the response must not depend on which calls exist.
    if (!(await this.#options.token.isAccepted((token) => hasToken(authorization, token)))) {
      return failure(401, 'a bearer token is required', { 'www-authenticate': 'Bearer' });
    }
    const contactId = decoded(encodedId);
    if (contactId === undefined || !isKeyPart(contactId)) return failure(404, 'no such call');
    const requests = await this.#readAll(contactId);
    if (requests.length === 0) return failure(404, 'no such call');
    const sessions = transcriptsOf(requests.flat());
    if (accept?.startsWith('text/plain')) return { status: 200, headers: TEXT, body: asText(sessions) };
    return { status: 200, headers: JSON_CONTENT, body: JSON.stringify({ contactId, sessions }) };
  }

  /** The events of each request that is kept of a call. */
  async #readAll(contactId: string): Promise<ReceivedEvent[][]> {
    const { store } = this.#options;
    const keys = (await store.list(callPrefix(contactId))).filter((key) => isRequestKey(contactId, key));
    const requests: ReceivedEvent[][] = [];
    while (keys.length > 0) {
      const read = await Promise.all(keys.splice(0, READS_AT_ONCE).map((key) => this.#eventsIn(key)));
      requests.push(...read.filter((events) => events !== undefined));
    }
    return requests;
  }

  /** Undefined if the object has expired or is no request: the transcript names the events that are missing. */
  async #eventsIn(key: string): Promise<ReceivedEvent[] | undefined> {
    const { store, log } = this.#options;
    const body = await store.get(key);
    try {
      return body && numberedEventsOf(body);
    } catch (error) {
      if (!(error instanceof BadBody)) throw error;
      log.warn('receiver.skipped', { key, bytes: body?.length });
      return undefined;
    }
  }
}

/** Transcripts are personal data: no cache keeps them. */
const PRIVATE = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
const JSON_CONTENT = { 'content-type': 'application/json', ...PRIVATE };
const TEXT = { 'content-type': 'text/plain; charset=utf-8', ...PRIVATE };

function failure(status: number, error: string, headers: Readonly<Record<string, string>> = {}): Response {
  return { status, headers: { ...JSON_CONTENT, ...headers }, body: JSON.stringify({ error }) };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
