import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, takeOrder } from '../serve.ts';
import { faultRules, type SecretsManagerApi } from './api.ts';
import { secretOrder, type Vault } from './vault.ts';

/** Answers what is under /standin/ as the tests' control, all else as Secrets Manager. */
export async function answer(
  api: SecretsManagerApi,
  vault: Vault,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = `${request.method} ${request.url}`;
  const [, name] = /^POST \/standin\/secrets\/([\w.-]+)$/.exec(route) ?? [];
  if (route === 'POST /') {
    await api.answer(request, response);
  } else if (route === 'GET /standin/requests') {
    answerJson(response, 200, api.requests);
  } else if (name) {
    await takeOrder(request, response, secretOrder, (order) => vault.put(name, order));
  } else if (route === 'POST /standin/faults') {
    await takeOrder(request, response, faultRules, (faults) => api.setFaults(faults));
  } else {
    answerJson(response, 404, { error: `${route}: no such endpoint` });
  }
}
