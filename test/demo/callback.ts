import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { BodyTooLarge, readBody } from '../../daemon/runtime/bounded-body.ts';
import { closeNow, listenOnLoopback } from './loopback.ts';

/** Receives a message from Deepgram about a contact. */
export type TakeMessage = (contactId: string, message: unknown) => void;

export interface CallbackReceiver {
  /** For the contact attribute dg_callback. */
  readonly urlTemplate: string;
  close(): void;
}

/** Far above any message: a result with all its words has a few KB. */
const MAX_BODY_BYTES = 1024 * 1024;
/** 128 bits, which cannot be guessed. */
const TOKEN_BYTES = 16;

/** Receives Deepgram's callbacks, at a path that only this demo and its Deepgram know. */
export async function receiveCallbacks(take: TakeMessage): Promise<CallbackReceiver> {
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  const server = createServer(async (request, response) => {
    const status = await received(request, token, take);
    // The unread rest of a body would be parsed as the next request.
    response.writeHead(status, status === 200 ? {} : { connection: 'close' }).end();
  });
  const url = await listenOnLoopback(server, 0);
  return { urlTemplate: `${url}/${token}/{contact-id}`, close: () => closeNow(server) };
}

async function received(request: IncomingMessage, token: string, take: TakeMessage): Promise<number> {
  const [, given, contactId, ...more] = (request.url ?? '').split('/');
  if (given !== token || !contactId || more.length > 0) return 404;
  if (request.method !== 'POST') return 405;
  let message: unknown;
  try {
    message = JSON.parse((await readBody(request, MAX_BODY_BYTES)).toString());
  } catch (error) {
    return error instanceof BodyTooLarge ? 413 : 400;
  }
  take(contactId, message);
  return 200;
}
