import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, takeOrder } from '../serve.ts';
import { type AutoScalingApi, faultRules } from './api.ts';
import { type Group, hookList, instanceChange, neighborList } from './group.ts';

/** Routes /simulator/ to the tests' controls and everything else to Auto Scaling. */
export async function answer(
  api: AutoScalingApi,
  group: Group,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = `${request.method} ${request.url}`;
  if (route === 'POST /') {
    await api.answer(request, response);
  } else if (route === 'GET /simulator/requests') {
    answerJson(response, 200, api.requests);
  } else if (route === 'POST /simulator/hooks') {
    await takeOrder(request, response, hookList, (hooks) => group.setHooks(hooks));
  } else if (route === 'POST /simulator/instance') {
    await takeOrder(request, response, instanceChange, (change) => group.changeInstance(change));
  } else if (route === 'POST /simulator/neighbors') {
    await takeOrder(request, response, neighborList, (neighbors) => group.setNeighbors(neighbors));
  } else if (route === 'POST /simulator/faults') {
    await takeOrder(request, response, faultRules, (faults) => api.faults.add(faults));
  } else {
    answerJson(response, 404, { error: `${route}: no such endpoint` });
  }
}
