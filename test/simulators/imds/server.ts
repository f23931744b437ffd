import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, takeOrder } from '../serve.ts';
import { faultRule, type MetadataService, stateChange } from './service.ts';

/** Routes /simulator/ to the tests' controls and everything else to the instance metadata service. */
export async function answer(service: MetadataService, request: IncomingMessage, response: ServerResponse) {
  const route = `${request.method} ${request.url}`;
  if (!request.url?.startsWith('/simulator/')) {
    service.answer(request, response);
  } else if (route === 'GET /simulator/requests') {
    answerJson(response, 200, service.requests);
  } else if (route === 'POST /simulator/state') {
    await takeOrder(request, response, stateChange, (change) => service.change(change));
  } else if (route === 'POST /simulator/fault') {
    await takeOrder(request, response, faultRule, (fault) => service.setFault(fault));
  } else if (route === 'POST /simulator/expire-tokens') {
    service.expireTokens();
    answerJson(response, 200, {});
  } else {
    answerJson(response, 404, { error: `${route}: no such control` });
  }
}
