import type { IncomingMessage, ServerResponse } from 'node:http';
import polka, { type Polka } from 'polka';
import type { KinesisVideo } from './aws.ts';
import { controlRoutes } from './control.ts';

/** What answers a request: AWS's side and the stand-in's own. */
type Answer<Request extends IncomingMessage> = (request: Request, response: ServerResponse) => Promise<void>;

/** One server for AWS's two APIs and, under `/standin/`, the stand-in's controls. */
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

/** A client that hangs up in the middle of its request needs no answer; any other error is ours and ends the process. */
function whole<Request extends IncomingMessage>(answer: Answer<Request>): Answer<Request> {
  return (request, response) =>
    answer(request, response).catch((error: unknown) => {
      if (request.complete) throw error;
    });
}
