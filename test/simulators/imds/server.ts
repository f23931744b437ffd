import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, takeOrder } from '../serve.ts';
import { type MetadataService, stateChange } from './service.ts';

/** Answers what is under /standin/ as the tests' control, all else as the instance metadata service. */
export async function answer(service: MetadataService, request: IncomingMessage, response: ServerResponse) {
  const route = `${request.method} ${request.url}`;
  if (!request.url?.startsWith('/standin/')) {
    service.answer(request, response);
  } else if (route === 'GET /standin/requests') {
    answerJson(response, 200, service.requests);
  } else if (route === 'POST /standin/state') {
    await takeOrder(request, response, stateChange, (change) => service.change(change));
  } else if (route === 'POST /standin/expire-tokens') {
    service.expireTokens();
    answerJson(response, 200, {});
  } else {
    answerJson(response, 404, { error: `${route}: no such control` });
  }
}
