import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';

/** The parts of Deepgram's messages that tests inspect. */
export interface Heard {
  type?: string;
  request_id?: string;
  channel_index?: number[];
  start?: number;
  duration?: number;
  is_final?: boolean;
  from_finalize?: boolean;
  sha256?: string;
  channel?: { alternatives: { transcript: string; words: { word: string; start: number; end: number }[] }[] };
  metadata?: { request_id: string; extra?: Record<string, string>; tags?: string[] };
}

type Query = Readonly<Record<string, string | readonly string[]>>;

/** The default in main.ts. */
const SIMULATOR_KEY = 'simulator-key';
/** Two channels, as the daemon sends them. */
const CALL_QUERY = { encoding: 'linear16', sample_rate: '8000', channels: '2', multichannel: 'true' };

/** A WebSocket client of /v1/listen that records all messages. */
export class ListenClient {
  readonly messages: Heard[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;
  /** Headers of the response that opened the connection. */
  headers: IncomingHttpHeaders = {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('upgrade', ({ headers }) => {
      this.headers = headers;
    });
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data)) as Heard));
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  /** Connects and waits until the connection is open. */
  static async open(base: string, query: Query = {}): Promise<ListenClient> {
    const client = new ListenClient(connect(base, { ...CALL_QUERY, ...query }, `Token ${SIMULATOR_KEY}`));
    await once(client.socket, 'open');
    client.socket.on('error', () => client.socket.terminate());
    return client;
  }

  /** Sends `audio` in messages of `messageBytes`. */
  play(audio: Buffer, messageBytes = 4096): void {
    for (let at = 0; at < audio.length; at += messageBytes) this.socket.send(audio.subarray(at, at + messageBytes));
  }

  say(type: string): void {
    this.socket.send(JSON.stringify({ type }));
  }

  /** Ends the stream and waits for all results. */
  async finish(): Promise<{ code: number; reason: string }> {
    this.say('CloseStream');
    return this.closed;
  }

  /** The first message, past or future, that `matches`. */
  async heard(matches: (message: Heard) => boolean): Promise<Heard> {
    for (;;) {
      const message = this.messages.find(matches);
      if (message) return message;
      await once(this.socket, 'message');
    }
  }

  /** Non-empty final transcripts of a channel, in order. */
  said(channel: number): string[] {
    return this.finals(channel)
      .map(transcriptOf)
      .filter((transcript) => transcript !== '');
  }

  finals(channel: number): Heard[] {
    return this.messages.filter((message) => message.is_final && message.channel_index?.[0] === channel);
  }
}

/** The words of a result. */
export function transcriptOf(message: Heard): string {
  return message.channel?.alternatives[0]?.transcript ?? '';
}

/** The refusal of a handshake with exactly this query. */
export async function refusalOf(base: string, query: Query, authorization = `Token ${SIMULATOR_KEY}`) {
  const socket = connect(base, query, authorization);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  const body = JSON.parse(await text(response)) as Record<string, string>;
  return { status: response.statusCode, headers: response.headers, body };
}

/** A valid query with changes. */
export function callQuery(changes: Readonly<Record<string, string>>): Record<string, string> {
  return { ...CALL_QUERY, ...changes };
}

function connect(base: string, query: Query, authorization: string): WebSocket {
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, String(value)]),
  );
  const url = `${base.replace('http', 'ws')}/v1/listen?${new URLSearchParams(pairs)}`;
  return new WebSocket(url, { headers: { authorization } });
}
