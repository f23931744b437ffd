import { request } from 'node:http';
import { json as parsed } from 'node:stream/consumers';
import { API_VERSION, type Versioned } from '../contract/control-api.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { ConnectionLost, DaemonNotRunning, Failure, Refused } from './failure.ts';

/** The daemon responds to a plain request within milliseconds; after this long it hangs. */
const RESPONSE_TIMEOUT_MS: Millis = 10_000;

/** Reasons that have an exit code of their own; all others go by the HTTP status. */
const EXIT_BY_REASON: Readonly<Record<string, ExitCode>> = {
  draining: EXIT.draining,
  'not-cancellable': EXIT.draining,
  'not-found': EXIT.notFound,
};

type Method = 'GET' | 'POST' | 'DELETE';

interface RequestOptions {
  readonly body?: object;
  /** Time limit of the response; Infinity for a request that waits for the end of a call. */
  readonly timeoutMs?: Millis;
}

/** Client of the daemon's control API. */
export class ControlClient {
  readonly socketPath: string;
  readonly #clock: Clock;
  readonly #stop: AbortSignal;

  /** @param stop aborts requests in flight; callers get its reason */
  constructor(socketPath: string, { clock, stop }: { readonly clock: Clock; readonly stop: AbortSignal }) {
    this.socketPath = socketPath;
    this.#clock = clock;
    this.#stop = stop;
  }

  get<T>(path: string): Promise<Versioned<T>> {
    return this.#request('GET', path);
  }

  post<T>(path: string, options?: RequestOptions): Promise<Versioned<T>> {
    return this.#request('POST', path, options);
  }

  delete<T>(path: string): Promise<Versioned<T>> {
    return this.#request('DELETE', path);
  }

  /** Throws DaemonNotRunning, ConnectionLost, Refused or another Failure. */
  async #request<T>(method: Method, path: string, { body, timeoutMs = RESPONSE_TIMEOUT_MS }: RequestOptions = {}) {
    const timeout = timeoutMs === Infinity ? undefined : this.#clock.timeout(timeoutMs);
    const signal = timeout ? AbortSignal.any([this.#stop, timeout]) : this.#stop;
    try {
      const { status, json } = await exchange(this.socketPath, method, path, body, signal);
      if (status >= 300) throw refusal(status, json);
      return checked<T>(json);
    } catch (error) {
      this.#stop.throwIfAborted();
      if (timeout?.aborted) throw noResponse(timeoutMs);
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
): Promise<{ status: number; json: unknown }> {
  const text = body && JSON.stringify(body);
  const headers = text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {};
  return new Promise((resolve, reject) => {
    // One connection per request: a kept-alive one would keep this process alive too.
    const outgoing = request({ socketPath, method, path, headers, signal, agent: false });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      parsed(incoming).then((json) => resolve({ status: incoming.statusCode ?? 0, json }), reject);
    });
    outgoing.end(text);
  });
}

function checked<T>(json: unknown): Versioned<T> {
  const version = (json as { apiVersion?: unknown } | null)?.apiVersion;
  if (version === API_VERSION) return json as Versioned<T>;
  const versions = `integratord has version ${version} of the control API, this integratorctl version ${API_VERSION}`;
  throw new Failure(`${versions}; use the integratorctl installed with the daemon`);
}

function refusal(status: number, json: unknown): Refused {
  const { reason, message } = (json ?? {}) as { reason?: unknown; message?: unknown };
  const code = typeof reason === 'string' ? reason : `HTTP ${status}`;
  const exit = EXIT_BY_REASON[code] ?? (status === 404 ? EXIT.notFound : EXIT.failure);
  return new Refused(`integratord refused: ${typeof message === 'string' ? inOneLine(message) : code}`, code, exit);
}

function noResponse(timeoutMs: Millis): Failure {
  return new Failure(`integratord did not respond within ${timeoutMs / 1000} s; see: journalctl -u integratord`);
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
      return new Failure(`${what}; use sudo, or join the group integrator`, EXIT.noPermission);
    }
    case 'EAGAIN':
      return new Failure('integratord is too busy to accept the connection; try again');
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return new ConnectionLost(error);
  }
  if (error instanceof SyntaxError)
    return new Failure(`${socketPath} does not respond with JSON; is it integratord's socket?`);
  if (error.code === undefined) return error;
  return new Failure(`cannot talk to ${socketPath} (${error.message}); see: systemctl status integratord`);
}

/** A refusal has a line for each fault in the request. */
function inOneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ', ');
}
