import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson } from '../serve.ts';
import type { CloudWatchApi } from './api.ts';

/** Routes /simulator/ to the tests' controls and everything else to CloudWatch. */
export async function answer(api: CloudWatchApi, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = `${request.method} ${request.url}`;
  if (route === 'POST /') {
    await api.answer(request, response);
  } else if (route === 'GET /simulator/requests') {
    answerJson(response, 200, api.requests);
  } else {
    answerJson(response, 404, { error: `${route}: no such endpoint` });
  }
}
