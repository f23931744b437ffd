import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { type ResultsEvent, resultsEvent } from '../../daemon/contract/events.ts';
import { BodyTooLarge, readBody } from '../../daemon/runtime/bounded-body.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { createLog } from '../../trigger/log.ts';
import { CachedSecret } from '../../trigger/receiver/cached-secret.ts';
import { DirectoryStore } from '../../trigger/receiver/directory-store.ts';
import { MAX_BODY_BYTES, Receiver } from '../../trigger/receiver/receiver.ts';
import { signingKey } from '../../trigger/receiver/signature.ts';
import { closeNow, listenOnLoopback } from './loopback.ts';

export interface ResultsReceiver {
  /** For RESULTS_WEBHOOK. */
  readonly url: string;
  /** For RESULTS_SECRET. */
  readonly secret: string;
  close(): void;
}

/** Size of the signing secret and of the readers' token. */
const SECRET_BYTES = 32;

const request = z.object({ data: z.object({ events: z.array(resultsEvent) }) });

/**
 * The receiver of trigger/receiver on the loopback interface, keeping requests in `directory`. Calls `take` for each
 * event of a request whose signature is valid, hints included.
 */
export async function receiveResults(directory: string, take: (event: ResultsEvent) => void): Promise<ResultsReceiver> {
  const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
  const token = randomBytes(SECRET_BYTES).toString('hex');
  const receiver = new Receiver({
    key: new CachedSecret(async () => signingKey(secret), systemClock),
    token: new CachedSecret(async () => token, systemClock),
    store: new DirectoryStore(directory),
    clock: systemClock,
    log: createLog('error', systemClock, (line) => process.stderr.write(`${line}\n`)),
  });
  const server = createServer((incoming, response) => {
    // Rejects if the sender was killed within its request.
    void answer(receiver, incoming, response, take).catch(() => response.destroy());
  });
  const url = await listenOnLoopback(server, 0);
  return { url, secret, close: () => closeNow(server) };
}

async function answer(
  receiver: Receiver,
  incoming: IncomingMessage,
  response: ServerResponse,
  take: (event: ResultsEvent) => void,
): Promise<void> {
  const body = await readBody(incoming, MAX_BODY_BYTES).catch((error: unknown) => {
    if (!(error instanceof BodyTooLarge)) throw error;
  });
  if (!body) {
    response.writeHead(413, { connection: 'close' }).end();
    return;
  }
  const { method = '', url: path = '' } = incoming;
  const headers = incoming.headers as Readonly<Record<string, string | undefined>>;
  const { status, headers: answered, body: text } = await receiver.answer({ method, path, headers, body });
  response.writeHead(status, answered).end(text);
  if (method !== 'POST' || status !== 204) return;
  for (const event of request.parse(JSON.parse(body.toString())).data.events) take(event);
}
