import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { ZodError } from 'zod';
import { answerJson } from '../serve.ts';
import type { CallbackQueue } from './callback.ts';
import type { FaultQueue } from './faults.ts';
import type { Recording } from './recording.ts';

/** An accepted connection, open or closed. */
export interface KnownConnection {
  recording: Recording;
  callbackQueue: CallbackQueue | undefined;
}

/** What tests can inspect and control. */
interface Controls {
  connections: readonly KnownConnection[];
  faults: FaultQueue;
  /** Resets every open connection. */
  breakAll: () => void;
}

const AUDIO_PATH = /^\/simulator\/connections\/([\w-]+)\/audio$/;

/** Answers tests: GET /simulator/connections, GET /simulator/connections/ID/audio, POST /simulator/faults,
 *  POST /simulator/break. Everything else gets 404. */
export async function answerControl(request: IncomingMessage, response: ServerResponse, controls: Controls) {
  const route = `${request.method} ${request.url}`;
  const audioOf = request.method === 'GET' ? AUDIO_PATH.exec(request.url ?? '')?.[1] : undefined;
  const asked = controls.connections.find(({ recording }) => recording.facts.requestId === audioOf);
  if (route === 'GET /simulator/connections') {
    const facts = controls.connections.map(({ recording, callbackQueue }) => ({
      ...recording.facts,
      callback: callbackQueue?.facts,
    }));
    answerJson(response, 200, facts);
  } else if (asked) {
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(asked.recording.audio());
  } else if (route === 'POST /simulator/faults') {
    await takeFaults(request, response, controls.faults);
  } else if (route === 'POST /simulator/break') {
    controls.breakAll();
    answerJson(response, 200, {});
  } else {
    answerJson(response, 404, { err_code: 'NOT_FOUND', err_msg: `${route}: no such endpoint` });
  }
}

async function takeFaults(request: IncomingMessage, response: ServerResponse, faults: FaultQueue): Promise<void> {
  try {
    faults.add(JSON.parse(await text(request)));
    answerJson(response, 200, {});
  } catch (error) {
    if (!(error instanceof ZodError || error instanceof SyntaxError)) throw error;
    answerJson(response, 400, { err_code: 'Bad Request', err_msg: error.message });
  }
}
