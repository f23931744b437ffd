import { type buildConnector, Client, type Dispatcher } from 'undici';
import type { Cancel, Clock, Millis } from '../../runtime/clock.ts';
import { discardContinue } from './continue-filter.ts';

/** A consumer acknowledges by a 2xx within this time, and is connected to within it. */
export const TIMEOUT_MS: Millis = 15_000;
/** undici's own limits, which apply only if ours fails. */
const BACKSTOP_MS: Millis = 2 * TIMEOUT_MS;
/** The rest of an answer is not read: its status is all that counts, and the session's next request waits for it. */
const MOST_ANSWER_BYTES = 64 * 1024;
const LONGEST_BODY_MS: Millis = 1000;
/** Less than the idle time-out of common servers and load balancers, which may say what theirs is. */
const IDLE_MS: Millis = 4000;
const LOWEST_FINAL_STATUS = 200;
/** Codes of a kept connection that the consumer closed just then. */
const STALE: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

interface Answered {
  readonly status: number;
  readonly retryAfter: string | string[] | undefined;
}

export type Answer = Answered | { readonly error: Error & { readonly code?: string } };

/** A request from when it is posted until its answer is complete. */
interface Exchange {
  readonly request: Dispatcher.DispatchOptions;
  readonly settle: (answer: Answer) => void;
  cancelTimeout: Cancel;
  /** From when the request is written. */
  controller: Dispatcher.DispatchController | undefined;
  answered: Answered | undefined;
  late: Error | undefined;
}

/** A connection to a host, opened when it is needed and kept: one request at a time. */
export class Connection {
  readonly #client: Client;
  readonly #timers: Pick<Clock, 'after'>;
  #exchange: Exchange | undefined;
  /** An answer has come on the connection that is open. */
  #isUsed = false;

  /** `connect` fails within a time limit of its own. */
  constructor(origin: string, connect: buildConnector.connector, timers: Pick<Clock, 'after'>) {
    this.#timers = timers;
    this.#client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: IDLE_MS,
      headersTimeout: BACKSTOP_MS,
      bodyTimeout: BACKSTOP_MS,
      maxResponseSize: MOST_ANSWER_BYTES,
      connect: (options, callback) => {
        this.#isUsed = false;
        connect(options, (...[error, socket]) => {
          if (socket) discardContinue(socket, this.#isAnswerDue);
          // The union of its arguments is lost by destructuring.
          callback(...([error, socket] as Parameters<buildConnector.Callback>));
        });
      },
    });
  }

  /**
   * Settles when the answer is complete, so that the connection is free for the next request, or when the request has
   * failed: nothing of it is sent afterwards. Posts it again at once if a kept connection was closed just then.
   */
  post(request: Dispatcher.DispatchOptions): Promise<Answer> {
    return new Promise((settle) => {
      const cancelTimeout = this.#timers.after(TIMEOUT_MS, this.#timeOut);
      this.#exchange = { request, settle, cancelTimeout, controller: undefined, answered: undefined, late: undefined };
      this.#dispatch();
    });
  }

  close(): void {
    void this.#client.destroy();
  }

  readonly #dispatch = (): void => {
    if (this.#exchange) this.#client.dispatch(this.#exchange.request, this.#handler);
  };

  /** While it is not connected there is nothing to abort: it is aborted before it is written, or connecting fails. */
  readonly #timeOut = (): void => {
    const exchange = this.#exchange;
    if (!exchange) return;
    // Of an answer whose body is late, the status counts.
    exchange.late = new Error(`no answer within ${TIMEOUT_MS} ms`);
    exchange.controller?.abort(exchange.late);
  };

  readonly #isAnswerDue = (): boolean => this.#exchange !== undefined && this.#exchange.answered === undefined;

  #fail(error: Error & { readonly code?: string }): void {
    const exchange = this.#exchange;
    const isStale = this.#isUsed && STALE.has(error.code ?? '');
    if (!exchange || !isStale || exchange.answered || exchange.late) {
      this.#settle({ error });
      return;
    }
    exchange.controller = undefined;
    // Only once: the next connection is a new one.
    queueMicrotask(this.#dispatch);
  }

  #settle(answer: Answer): void {
    const exchange = this.#exchange;
    if (!exchange) return;
    this.#exchange = undefined;
    exchange.cancelTimeout();
    // The status counts, whatever comes of the body.
    exchange.settle(exchange.answered ?? answer);
  }

  /** Made once: a request adds no closure. */
  readonly #handler: Dispatcher.DispatchHandler = {
    onRequestStart: (controller) => {
      const exchange = this.#exchange;
      if (exchange) exchange.controller = controller;
      if (exchange?.late) controller.abort(exchange.late);
    },
    onResponseStart: (_controller, status, headers) => {
      const exchange = this.#exchange;
      if (!exchange || status < LOWEST_FINAL_STATUS) return;
      exchange.answered = { status, retryAfter: headers['retry-after'] };
      exchange.cancelTimeout();
      exchange.cancelTimeout = this.#timers.after(LONGEST_BODY_MS, this.#timeOut);
    },
    onResponseData: () => {},
    onResponseEnd: () => {
      this.#isUsed = true;
      // An error costs 12 us.
      this.#settle(this.#exchange?.answered ?? { error: new Error('an empty answer') });
    },
    onResponseError: (_controller, error) => this.#fail(error),
  };
}
