import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import type { SessionView } from '../../daemon/contract/control-api.ts';
import { DemoFailed } from './failure.ts';

/** A daemon that does not respond within this time hangs. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Lists integratord's sessions through its control socket. Throws DemoFailed. */
export async function sessionsAt(socketPath: string, signal: AbortSignal): Promise<SessionView[]> {
  try {
    const { sessions } = (await answerOf(socketPath, signal)) as { sessions: SessionView[] };
    return sessions;
  } catch (cause) {
    signal.throwIfAborted();
    throw new DemoFailed(`integratord does not respond on its control socket: ${(cause as Error).message}`, { cause });
  }
}

function answerOf(socketPath: string, signal: AbortSignal): Promise<unknown> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/v1/sessions', signal: patience }, (response) => {
      if (response.statusCode === 200) json(response).then(resolve, reject);
      else reject(new Error(`status ${response.statusCode}`));
    });
    asked.on('error', reject).end();
  });
}
