import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, takeOrder } from '../serve.ts';
import { faultRules, type SecretsManagerApi } from './api.ts';
import { secretOrder, type Vault } from './vault.ts';

/** Routes /simulator/ to the tests' controls and everything else to Secrets Manager. */
export async function answer(
  api: SecretsManagerApi,
  vault: Vault,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = `${request.method} ${request.url}`;
  const [, name] = /^POST \/simulator\/secrets\/([\w.-]+)$/.exec(route) ?? [];
  if (route === 'POST /') {
    await api.answer(request, response);
  } else if (route === 'GET /simulator/requests') {
    answerJson(response, 200, api.requests);
  } else if (name) {
    await takeOrder(request, response, secretOrder, (order) => vault.put(name, order));
  } else if (route === 'POST /simulator/faults') {
    await takeOrder(request, response, faultRules, (faults) => api.faults.replace(faults));
  } else {
    answerJson(response, 404, { error: `${route}: no such endpoint` });
  }
}
