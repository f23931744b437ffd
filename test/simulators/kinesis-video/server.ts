import type { IncomingMessage, ServerResponse } from 'node:http';
import polka, { type Polka } from 'polka';
import type { KinesisVideo } from './aws.ts';
import { controlRoutes } from './control.ts';

/** Handlers of AWS requests and control requests. */
type Answer<Request extends IncomingMessage> = (request: Request, response: ServerResponse) => Promise<void>;

/** One server for AWS's two APIs and, under `/simulator/`, the controls. */
export function serverFor(kinesis: KinesisVideo): Polka {
  const app = polka();
  app.post(
    '/getDataEndpoint',
    whole((request, response) => kinesis.getDataEndpoint(request, response)),
  );
  app.post(
    '/getMedia',
    whole((request, response) => kinesis.getMedia(request, response)),
  );
  for (const { method, path, answer } of controlRoutes(kinesis)) app.add(method, path, whole(answer));
  return app;
}

/** The client may disconnect during its request; any other error is ours and ends the process. */
function whole<Request extends IncomingMessage>(answer: Answer<Request>): Answer<Request> {
  return (request, response) =>
    answer(request, response).catch((error: unknown) => {
      if (request.complete) throw error;
    });
}
