import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { ZodError } from 'zod';
import { type MetadataService, stateChange } from './service.ts';

/** Answers what is under /standin/ as the tests' control, all else as the instance metadata service. */
export async function answer(service: MetadataService, request: IncomingMessage, response: ServerResponse) {
  const route = `${request.method} ${request.url}`;
  if (!request.url?.startsWith('/standin/')) {
    service.answer(request, response);
  } else if (route === 'GET /standin/requests') {
    answerJson(response, 200, service.requests);
  } else if (route === 'POST /standin/state') {
    await takeState(service, request, response);
  } else if (route === 'POST /standin/expire-tokens') {
    service.expireTokens();
    answerJson(response, 200, {});
  } else {
    answerJson(response, 404, { error: `${route}: no such control` });
  }
}

async function takeState(service: MetadataService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    service.change(stateChange.parse(JSON.parse(await text(request))));
    answerJson(response, 200, {});
  } catch (error) {
    if (!(error instanceof ZodError || error instanceof SyntaxError)) throw error;
    answerJson(response, 400, { error: error.message });
  }
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
