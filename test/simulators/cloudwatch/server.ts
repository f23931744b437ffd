import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, takeOrder } from '../serve.ts';
import { type CloudWatchApi, faultRules } from './api.ts';

/** Answers what is under /standin/ as the tests' control, all else as CloudWatch. */
export async function answer(api: CloudWatchApi, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = `${request.method} ${request.url}`;
  if (route === 'POST /') {
    await api.answer(request, response);
  } else if (route === 'GET /standin/requests') {
    answerJson(response, 200, api.requests);
  } else if (route === 'POST /standin/faults') {
    await takeOrder(request, response, faultRules, (faults) => api.addFaults(faults));
  } else if (route === 'DELETE /standin/faults') {
    api.clearFaults();
    answerJson(response, 200, {});
  } else {
    answerJson(response, 404, { error: `${route}: no such endpoint` });
  }
}
