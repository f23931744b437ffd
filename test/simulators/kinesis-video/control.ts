import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { KinesisVideo } from './aws.ts';
import type { Call } from './call.ts';
import { callRequest, planOf } from './call-request.ts';
import { faultRules } from './faults.ts';
import { readBody } from './request-body.ts';

const streamRequest = z.strictObject({
  retentionMs: z.number().positive().optional(),
  retentionFragments: z.int().positive().optional(),
});

/** A request with path parameters, from polka. */
type ControlRequest = IncomingMessage & { params: Record<string, string | string[]> };

interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly answer: (request: ControlRequest, response: ServerResponse) => Promise<void>;
}

/** A control request that is refused. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Control routes, with which tests and Connect's simulator create streams, calls and faults. */
export function controlRoutes(kinesis: KinesisVideo): Route[] {
  return [
    route('PUT', '/simulator/streams/:name', (request) => putStream(kinesis, request)),
    route('POST', '/simulator/streams/:name/calls', (request) => startCall(kinesis, request)),
    route('GET', '/simulator/calls/:id', async (request) => stateOf(callOf(kinesis, request))),
    route('GET', '/simulator/calls/:id/end', async (request) => {
      const call = callOf(kinesis, request);
      await call.ended;
      return stateOf(call);
    }),
    route('DELETE', '/simulator/calls/:id', async (request) => {
      const call = callOf(kinesis, request);
      await call.stop();
      return stateOf(call);
    }),
    route('GET', '/simulator/requests', async () => ({
      requests: kinesis.log.requests,
      counts: kinesis.log.counts(),
      connections: kinesis.connections.counts(),
    })),
    route('POST', '/simulator/faults', async (request) => {
      kinesis.faults.add(await bodyOf(request, faultRules));
      return {};
    }),
  ];
}

async function putStream(kinesis: KinesisVideo, request: ControlRequest): Promise<object> {
  const retention = await bodyOf(request, streamRequest);
  const stream = kinesis.ensureStream(String(request.params['name']));
  stream.retention = retention;
  return { streamArn: stream.arn };
}

async function startCall(kinesis: KinesisVideo, request: ControlRequest): Promise<object> {
  const name = String(request.params['name']);
  const stream = kinesis.stream(name);
  if (!stream) throw new Refused(404, `no stream ${name}: PUT /simulator/streams/${name} first`);
  const plan = planOf(await bodyOf(request, callRequest));
  const call = kinesis.calls.start(plan, stream);
  if ('busyWith' in call) throw new Refused(409, `call ${call.busyWith.id} is still on ${name}: wait for its end`);
  const { id, startFragmentNumber, beganMs, ended } = call.started;
  // A recording is there in full when the answer is.
  if (plan.speed === undefined) await ended;
  const startTimestamp = new Date(beganMs).toISOString();
  return { streamArn: stream.arn, startFragmentNumber, startTimestamp, callId: id };
}

function callOf(kinesis: KinesisVideo, request: ControlRequest): Call {
  const id = String(request.params['id']);
  const call = kinesis.calls.get(id);
  if (!call) throw new Refused(404, `no call ${id}`);
  return call;
}

function stateOf({ id, contactId, stream, state, bytes }: Call): object {
  return { callId: id, contactId, streamArn: stream.arn, state, finished: state !== 'running', bytes };
}

async function bodyOf<Output>(request: IncomingMessage, schema: z.ZodType<Output>): Promise<Output> {
  const text = (await readBody(request)).toString();
  let json: unknown;
  try {
    json = JSON.parse(text || '{}');
  } catch (cause) {
    throw new Refused(400, `the body is not JSON: ${cause}`);
  }
  const body = schema.safeParse(json);
  if (!body.success) throw new Refused(400, z.prettifyError(body.error));
  return body.data;
}

/** A route that answers in JSON, with the result of `give` or its refusal. */
function route(method: Route['method'], path: string, give: (request: ControlRequest) => Promise<object>): Route {
  const answer: Route['answer'] = async (request, response) => {
    let status = 200;
    const body = await give(request).catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error;
      status = error.status;
      return { error: error.message };
    });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  return { method, path, answer };
}
