import { request } from 'node:http';

/** A response of the control socket. */
interface ControlAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on the shape; describing it twice would prove nothing.
  readonly body: any;
}

/** Sends a request to the daemon's control socket. */
export function ask(socketPath: string, method: string, path: string, body?: unknown): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    // A connection per request: the daemon may close a reused one at the wrong moment.
    const call = request({ socketPath, method, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    call.once('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
