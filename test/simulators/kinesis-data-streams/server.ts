import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, takeOrder } from '../serve.ts';
import type { KinesisApi } from './api.ts';
import { type Faults, faultRules } from './faults.ts';
import { type DataStreams, streamOrder } from './operations.ts';

interface Simulation {
  readonly api: KinesisApi;
  readonly streams: DataStreams;
  readonly faults: Faults;
}

/** Routes /simulator/ to the tests' controls and everything else to Kinesis Data Streams. */
export async function answer(
  { api, streams, faults }: Simulation,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = `${request.method} ${request.url}`;
  if (route === 'POST /') {
    await api.answer(request, response);
  } else if (route === 'GET /simulator/requests') {
    answerJson(response, 200, api.requests);
  } else if (route === 'POST /simulator/streams') {
    await takeOrder(request, response, streamOrder, (order) => streams.create(order));
  } else if (route === 'POST /simulator/faults') {
    await takeOrder(request, response, faultRules, (rules) => faults.replace(rules));
  } else {
    answerJson(response, 404, { error: `${route}: no such endpoint` });
  }
}
