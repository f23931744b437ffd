import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { type Answer, API_VERSION } from '../contract/control-api.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { ConnectionLost, DaemonNotRunning, Failure, Refused } from './failure.ts';

/** A daemon that has not answered a plain question by then does not answer at all. */
const ANSWER_TIMEOUT_MS: Millis = 10_000;

/** What only the daemon's reason can tell apart; everything else goes by the HTTP status. */
const EXIT_BY_REASON: Readonly<Record<string, ExitCode>> = {
  draining: EXIT.draining,
  'not-cancellable': EXIT.draining,
  'not-found': EXIT.notFound,
};

type Method = 'GET' | 'POST' | 'DELETE';

export interface Question {
  readonly body?: object;
  /** How long the answer may take; Infinity for what takes as long as a call's last words. */
  readonly timeoutMs?: Millis;
}

/** The daemon behind its control socket. */
export class ControlClient {
  readonly socketPath: string;
  readonly #clock: Clock;
  readonly #stop: AbortSignal;

  /** @param stop aborts whatever is under way; its reason is what the caller gets to see */
  constructor(socketPath: string, { clock, stop }: { readonly clock: Clock; readonly stop: AbortSignal }) {
    this.socketPath = socketPath;
    this.#clock = clock;
    this.#stop = stop;
  }

  get<T>(path: string, question?: Question): Promise<Answer<T>> {
    return this.#ask('GET', path, question);
  }

  post<T>(path: string, question?: Question): Promise<Answer<T>> {
    return this.#ask('POST', path, question);
  }

  delete<T>(path: string, question?: Question): Promise<Answer<T>> {
    return this.#ask('DELETE', path, question);
  }

  /** Throws DaemonNotRunning, ConnectionLost, Refused or another Failure. */
  async #ask<T>(method: Method, path: string, { body, timeoutMs = ANSWER_TIMEOUT_MS }: Question = {}) {
    const timeout = timeoutMs === Infinity ? undefined : this.#clock.timeout(timeoutMs);
    const signal = timeout ? AbortSignal.any([this.#stop, timeout]) : this.#stop;
    try {
      const { status, answer } = await exchange(this.socketPath, method, path, body, signal);
      if (status >= 300) throw refusal(status, answer);
      return checked<T>(answer);
    } catch (error) {
      this.#stop.throwIfAborted();
      if (timeout?.aborted) throw unanswered(timeoutMs);
      throw failureOf(error as NodeJS.ErrnoException, this.socketPath);
    }
  }
}

async function exchange(
  socketPath: string,
  method: Method,
  path: string,
  body: object | undefined,
  signal: AbortSignal,
): Promise<{ status: number; answer: unknown }> {
  const text = body && JSON.stringify(body);
  const headers = text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {};
  return new Promise((resolve, reject) => {
    // A connection for each request: kept alive, one would keep this process alive as well.
    const outgoing = request({ socketPath, method, path, headers, signal, agent: false });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      json(incoming).then((answer) => resolve({ status: incoming.statusCode ?? 0, answer }), reject);
    });
    outgoing.end(text);
  });
}

function checked<T>(answer: unknown): Answer<T> {
  const version = (answer as { apiVersion?: unknown } | null)?.apiVersion;
  if (version === API_VERSION) return answer as Answer<T>;
  const versions = `integratord speaks version ${version} of the control API, this integratorctl version ${API_VERSION}`;
  throw new Failure(`${versions}; use the integratorctl that was installed with the daemon`);
}

function refusal(status: number, answer: unknown): Refused {
  const { reason, message } = (answer ?? {}) as { reason?: unknown; message?: unknown };
  const code = typeof reason === 'string' ? reason : `HTTP ${status}`;
  const exit = EXIT_BY_REASON[code] ?? (status === 404 ? EXIT.notFound : EXIT.failure);
  return new Refused(`integratord refused: ${typeof message === 'string' ? inOneLine(message) : code}`, code, exit);
}

function unanswered(timeoutMs: Millis): Failure {
  return new Failure(`integratord has not answered in ${timeoutMs / 1000} s; see: journalctl -u integratord`);
}

function failureOf(error: NodeJS.ErrnoException, socketPath: string): Error {
  if (error instanceof Failure) return error;
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new DaemonNotRunning(socketPath, error);
    case 'EACCES':
    case 'EPERM': {
      const what = `no permission to use ${socketPath}`;
      return new Failure(`${what}; use sudo, or have yourself added to the group integrator`, EXIT.noPermission);
    }
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return new ConnectionLost(error);
  }
  if (error instanceof SyntaxError) return new Failure(`${socketPath} does not answer in JSON; is it integratord's?`);
  if (error.code === undefined) return error;
  return new Failure(`cannot talk to ${socketPath} (${error.message}); see: systemctl status integratord`);
}

/** What is wrong with several fields comes in as many lines. */
function inOneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ', ');
}
