import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ZodError, type z } from 'zod';

/** A server's listener that answers by `answer`. */
export function listenerOf(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    void answer(request, response).catch((error: unknown) => {
      // The client disconnected during its request; any other error is ours.
      if (request.complete) throw error;
    });
  };
}

/** Serves on 127.0.0.1 until SIGTERM or SIGINT, and prints the address as `Program` expects. */
export async function serve(server: Server, port: number): Promise<void> {
  // On a slow machine, a client may reuse a connection just as an idle timeout closes it.
  server.keepAliveTimeout = 0;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  process.stdout.write(
    `${JSON.stringify({ listening: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`,
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
    });
  }
}

/** Executes a test's JSON order; an invalid one gets 400 and the reason. */
export async function takeOrder<Order>(
  request: IncomingMessage,
  response: ServerResponse,
  schema: z.ZodType<Order>,
  act: (order: Order) => void,
): Promise<void> {
  try {
    act(schema.parse(JSON.parse(await text(request))));
    answerJson(response, 200, {});
  } catch (error) {
    if (!(error instanceof ZodError || error instanceof SyntaxError)) throw error;
    answerJson(response, 400, { error: error.message });
  }
}

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
