import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { ZodError, type z } from 'zod';
import { type AutoScalingApi, faultRules } from './api.ts';
import { type Group, hookList, instanceChange } from './group.ts';

/** Answers what is under /standin/ as the tests' control, all else as Auto Scaling. */
export async function answer(
  api: AutoScalingApi,
  group: Group,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = `${request.method} ${request.url}`;
  if (route === 'POST /') {
    await api.answer(request, response);
  } else if (route === 'GET /standin/requests') {
    answerJson(response, 200, api.requests);
  } else if (route === 'POST /standin/hooks') {
    await take(request, response, hookList, (hooks) => group.setHooks(hooks));
  } else if (route === 'POST /standin/instance') {
    await take(request, response, instanceChange, (change) => group.changeInstance(change));
  } else if (route === 'POST /standin/faults') {
    await take(request, response, faultRules, (faults) => api.addFaults(faults));
  } else if (route === 'DELETE /standin/faults') {
    api.clearFaults();
    answerJson(response, 200, {});
  } else {
    answerJson(response, 404, { error: `${route}: no such endpoint` });
  }
}

async function take<Output>(
  request: IncomingMessage,
  response: ServerResponse,
  schema: z.ZodType<Output>,
  act: (order: Output) => void,
): Promise<void> {
  try {
    act(schema.parse(JSON.parse(await text(request))));
    answerJson(response, 200, {});
  } catch (error) {
    if (!(error instanceof ZodError || error instanceof SyntaxError)) throw error;
    answerJson(response, 400, { error: error.message });
  }
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
