import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, takeOrder } from '../serve.ts';
import { type Consumer, consumerRules } from './consumer.ts';

/** Routes /simulator/ to the tests' controls and every POST elsewhere to the consumer. */
export async function answer(consumer: Consumer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = `${request.method} ${request.url}`;
  if (route === 'POST /simulator/rules') {
    await takeOrder(request, response, consumerRules, (rules) => consumer.setRules(rules));
  } else if (route === 'GET /simulator/requests') {
    answerJson(response, 200, consumer.requests);
  } else if (route === 'GET /simulator/events') {
    answerJson(response, 200, consumer.events);
  } else if (request.method === 'POST') {
    await consumer.answer(request, response);
  } else {
    answerJson(response, 404, { error: `${route}: no such endpoint` });
  }
}
