import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { crc32 } from 'node:zlib';
import { checkedHandshake, Refusal, refuse } from '../simulators/deepgram/handshake.ts';
import type { MessageContext } from '../simulators/deepgram/messages.ts';
import type { ListenParams } from '../simulators/deepgram/params.ts';
import type { Sum } from './caller.ts';
import type { TlsIdentity } from './certificates.ts';
import { Ear, type HeardCall } from './heard-call.ts';
import { API_KEY, callOfTags } from './identity.ts';
import { ABNORMAL_CLOSURE } from './reconnects.ts';
import { type SpokenFigures, SpokenResults } from './spoken-results.ts';
import { BadFrame, ClientFrames, type Masked, OPCODE, serverFrame, unmask } from './ws-frames.ts';

/** RFC 6455, 1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const NORMAL = 1000;
/** daemon/deepgram/README.md: an error on Deepgram's side. */
const SERVER_ERROR = 1011;
const NET_0000 = 'NET-0000';
const MS_PER_SECOND = 1000;

/** Totals of audio messages. */
export interface MessageCounts {
  messages: number;
  bytes: number;
}

/** One accepted connection. */
interface Connection {
  readonly socket: Socket;
  readonly ear: Ear;
}

/**
 * Deepgram for a load run: the real handshake, pings, CloseStream and close. Without a callback, results come back if the
 * run has any; their words do not depend on the audio. It parses frames itself: a WebSocket library would use more CPU than the daemon under test.
 */
export class LoadDeepgram {
  readonly server: Server;
  readonly counts: MessageCounts = { messages: 0, bytes: 0 };
  handshakes = 0;
  refused = 0;
  /** Calls sent without an encoding: bytes that are not PCM. */
  readonly containers = new Map<number, Sum>();
  readonly #open = new Map<number, Connection>();
  /** What was returned, by call. */
  readonly spoken = new Map<number, SpokenFigures>();
  readonly #callHeard: (call: number) => HeardCall;
  readonly #hasResults: boolean;

  constructor(tls: TlsIdentity | undefined, hasResults: boolean, callHeard: (call: number) => HeardCall) {
    this.#callHeard = callHeard;
    this.#hasResults = hasResults;
    this.server = tls ? createTlsServer(tls) : createServer();
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Ends the call's connection, with a close frame or as a broken connection. Returns false if there is none. */
  breakOff(call: number, properly: boolean): boolean {
    const connection = this.#open.get(call);
    if (!connection || hasClosed(connection)) return false;
    this.#open.delete(call);
    if (properly) close(connection, SERVER_ERROR, NET_0000);
    else connection.socket.destroy();
    return true;
  }

  #upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const requestId = randomUUID();
    const socket = duplex as Socket;
    socket.on('error', () => socket.destroy());
    try {
      const params = checkedHandshake(request, API_KEY);
      const call = callOfTags(params.tags);
      if (call === undefined) throw new Refusal(400, 'no tag of a call of this load run');
      this.handshakes++;
      socket.write(acceptance(request, requestId));
      if (params.callback) send(socket, { request_id: requestId });
      this.#listen(socket, head, call, params, requestId);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.refused++;
      refuse(socket, error, requestId);
    }
  }

  #listen(socket: Socket, head: Buffer, call: number, params: ListenParams, requestId: string): void {
    const { extra, encoding } = params;
    const heard = this.#callHeard(call);
    const ear = new Ear(heard, Number(extra['dgintegrator_offset_ms'] ?? 0));
    const connection: Connection = { socket, ear };
    this.#open.set(call, connection);
    const results = this.#resultsOf(socket, call, ear.fromMs, { params, requestId });
    socket.once('close', () => {
      if (this.#open.get(call) === connection) this.#open.delete(call);
    });
    const frames = new ClientFrames({
      audio: (run) => {
        if (encoding === undefined) this.containers.set(call, added(this.containers.get(call), run));
        else ear.take(run);
      },
      audioEnd: (bytes) => {
        this.counts.messages++;
        this.counts.bytes += bytes;
        results?.reached(ear.toMs);
      },
      text: (text) => {
        if ((JSON.parse(text) as { type?: unknown }).type !== 'CloseStream') return;
        results?.finish(ear.toMs);
        send(socket, {
          type: 'Metadata',
          request_id: requestId,
          channels: 2,
          duration: ear.receivedMs / MS_PER_SECOND,
        });
        close(connection, NORMAL, '');
      },
      control: (opcode, payload) => {
        if (opcode === OPCODE.ping) socket.write(serverFrame(OPCODE.pong, payload));
        if (opcode !== OPCODE.close) return;
        if (!hasClosed(connection)) socket.write(serverFrame(OPCODE.close, payload));
        socket.end();
      },
    });
    const take = (bytes: Buffer) => {
      try {
        frames.push(bytes);
      } catch (error) {
        if (!(error instanceof BadFrame || error instanceof SyntaxError)) throw error;
        this.refused++;
        socket.destroy();
      }
    };
    if (head.length > 0) take(head);
    socket.on('data', take);
  }

  #resultsOf(socket: Socket, call: number, offsetMs: number, context: MessageContext): SpokenResults | undefined {
    if (!this.#hasResults || context.params.callback) return undefined;
    const figures = this.spoken.get(call) ?? { finals: 0, interims: 0, words: [0, 0] };
    this.spoken.set(call, figures);
    return new SpokenResults(call, offsetMs, context, figures, (message) => send(socket, message));
  }
}

function added({ bytes, crc }: Sum = { bytes: 0, crc: 0 }, run: Masked): Sum {
  const plain = Buffer.alloc(run.to - run.from);
  unmask(run, plain, 0);
  return { bytes: bytes + plain.length, crc: crc32(plain, crc) };
}

/** Whether our close frame has been sent. */
function hasClosed({ ear }: Connection): boolean {
  return ear.closeCode !== ABNORMAL_CLOSURE;
}

function close(connection: Connection, code: number, reason: string): void {
  if (hasClosed(connection)) return;
  connection.ear.closeCode = code;
  const payload = Buffer.alloc(2 + reason.length);
  payload.writeUInt16BE(code);
  payload.write(reason, 2, 'latin1');
  connection.socket.write(serverFrame(OPCODE.close, payload));
}

function send(socket: Socket, message: object): void {
  socket.write(serverFrame(OPCODE.text, Buffer.from(JSON.stringify(message))));
}

/** The response that accepts a handshake. */
export function acceptance(request: IncomingMessage, requestId: string): string {
  const key = request.headers['sec-websocket-key'] ?? '';
  return [
    'HTTP/1.1 101 Switching Protocols',
    'upgrade: websocket',
    'connection: Upgrade',
    `sec-websocket-accept: ${createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64')}`,
    `dg-request-id: ${requestId}`,
    '\r\n',
  ].join('\r\n');
}
