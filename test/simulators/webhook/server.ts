import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, takeOrder } from '../serve.ts';
import { type Consumer, consumerRules } from './consumer.ts';

/** Routes /simulator/ to the tests' controls and every POST elsewhere to the consumer. */
export async function answer(consumer: Consumer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://consumer');
  const route = `${request.method} ${pathname}`;
  if (route === 'POST /simulator/rules') {
    await takeOrder(request, response, consumerRules, (rules) => consumer.setRules(rules));
  } else if (route === 'GET /simulator/requests') {
    answerJson(response, 200, consumer.requests);
  } else if (route === 'GET /simulator/events') {
    const beyond = Number(searchParams.get('beyond') ?? -1);
    await consumer.news.until(() => consumer.events.length > beyond);
    answerJson(response, 200, consumer.events);
  } else if (request.method === 'POST') {
    await consumer.answer(request, response);
  } else {
    answerJson(response, 404, { error: `${route}: no such endpoint` });
  }
}
