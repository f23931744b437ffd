import type { ServerResponse } from 'node:http';
import { rounded } from './rounded.ts';

export interface JsonResponse {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a JSON response and ends it. */
export function sendJson(response: ServerResponse, { status, body, headers }: JsonResponse): void {
  const text = JSON.stringify(body, rounded);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
