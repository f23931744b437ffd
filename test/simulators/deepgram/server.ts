import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { News } from '../news.ts';
import { CallbackQueue } from './callback.ts';
import { Connection, type Outlet } from './connection.ts';
import { answerControl, type KnownConnection } from './control.ts';
import { deliveryTo } from './delivery.ts';
import { type Fault, FaultQueue } from './faults.ts';
import { checkedHandshake, Refusal, refuse, refuseWith } from './handshake.ts';
import type { ListenParams } from './params.ts';
import { Recording } from './recording.ts';
import type { Vocabulary } from './vocabulary.ts';

interface SimulatorOptions {
  port: number;
  apiKey: string;
  recordings: string | undefined;
  net0001Ms: number;
  callbackRetryMs: number;
  /** Call time processed per time; Infinity: at once. */
  rate: number;
  /** `paced` reads no more than is processed, `buffered` everything: it is not known what Deepgram does. */
  reads: 'paced' | 'buffered';
  vocabularies: readonly Vocabulary[];
  /** Word times of a connection are early or late by up to this: it is not known how exact Deepgram's are. */
  wordShiftMs?: number;
  /** Whether silence gets finals: it is not known whether Deepgram sends them for a silent channel. */
  silenceFinals?: boolean;
}

/** Deepgram's /v1/listen on a port of the loopback interface. */
export class Simulator {
  readonly #options: SimulatorOptions;
  readonly #server = createServer();
  /** Deepgram does not compress. */
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, autoPong: false });
  readonly #requestIds = new WeakMap<IncomingMessage, string>();
  readonly #sockets = new Set<Socket>();
  readonly #connections: KnownConnection[] = [];
  readonly #news = new News();
  readonly #faults = new FaultQueue();
  readonly #stopping = new AbortController();

  constructor(options: SimulatorOptions) {
    this.#options = options;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('request', (request, response) => {
      response.setHeader('dg-request-id', randomUUID());
      void answerControl(request, response, {
        connections: this.#connections,
        news: this.#news,
        faults: this.#faults,
        breakAll: () => this.#breakAll(),
      });
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#webSockets.on('headers', (headers, request) => {
      headers.push(`dg-request-id: ${this.#requestIds.get(request)}`);
    });
  }

  /** Starts listening; returns the address. */
  async listen(): Promise<string> {
    // On a slow machine, a client may reuse a connection just as an idle timeout closes it.
    this.#server.keepAliveTimeout = 0;
    this.#server.listen(this.#options.port, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Drops all connections and pending deliveries. */
  stop(): void {
    this.#stopping.abort();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #breakAll(): void {
    for (const webSocket of this.#webSockets.clients) webSocket.terminate();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // After the upgrade, the server no longer handles errors of the connection.
    socket.once('error', () => socket.destroy());
    const fault = this.#faults.take(tagsOf(request));
    if ('hang' in fault) return;
    if (!fault.handshakeMs) {
      this.#shakeHands(request, socket, head, fault);
      return;
    }
    setTimeout(() => {
      if (!socket.destroyed) this.#shakeHands(request, socket, head, fault);
    }, fault.handshakeMs);
  }

  #shakeHands(request: IncomingMessage, socket: Duplex, head: Buffer, fault: Exclude<Fault, { hang: true }>): void {
    const requestId = randomUUID();
    try {
      if ('refuse' in fault && (fault.headers || fault.body !== undefined)) {
        refuseWith(socket, fault.refuse, fault.headers ?? {}, fault.body ?? '');
        return;
      }
      if ('refuse' in fault) throw new Refusal(fault.refuse, fault.dgError ?? 'Refused on request.');
      const params = checkedHandshake(request, this.#options.apiKey);
      this.#requestIds.set(request, requestId);
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        const recording = this.#recordingOf(requestId, params, request);
        const callbackQueue = this.#callbackQueue(params);
        this.#connections.push({ recording, callbackQueue });
        if (callbackQueue) webSocket.send(JSON.stringify({ request_id: requestId }));
        new Connection(webSocket, {
          context: { requestId, params, wordShiftS: this.#wordShiftS() },
          recording,
          vocabularies: this.#options.vocabularies,
          outlet: callbackQueue ?? socketOutlet(webSocket),
          fault,
          net0001Ms: this.#options.net0001Ms,
          rate: this.#options.rate,
          reads: this.#options.reads,
          silenceFinals: this.#options.silenceFinals ?? true,
        });
      });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(socket, error, requestId);
    }
  }

  #recordingOf(requestId: string, { query }: ListenParams, { headers }: IncomingMessage): Recording {
    return new Recording(requestId, query, headers, () => this.#news.tell(), this.#options.recordings);
  }

  #wordShiftS(): number {
    const { wordShiftMs = 0 } = this.#options;
    return Math.round((Math.random() * 2 - 1) * wordShiftMs) / 1000;
  }

  #callbackQueue({ callback }: ListenParams): CallbackQueue | undefined {
    if (!callback) return undefined;
    const { signal } = this.#stopping;
    return new CallbackQueue(deliveryTo(callback, signal), this.#options.callbackRetryMs, signal);
  }
}

/** Tags of a handshake, which may be malformed. */
function tagsOf({ url = '/' }: IncomingMessage): string[] {
  return URL.parse(url, 'ws://deepgram')?.searchParams.getAll('tag') ?? [];
}

function socketOutlet(socket: WebSocket): Outlet {
  return { send: (message) => socket.send(JSON.stringify(message)), end: () => {} };
}
