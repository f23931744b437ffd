import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/** What one connection was like, for tests to look at. Times in ms count from the opening. */
export interface ConnectionFacts {
  requestId: string;
  query: [name: string, value: string][];
  headers: Record<string, string>;
  openedAt: string;
  closedAt: string | undefined;
  open: boolean;
  closeCode: number | undefined;
  closeReason: string | undefined;
  /** What broke the WebSocket, if something did. */
  error: string | undefined;
  bytes: number;
  /** Of all audio, in hex, once the connection is closed. */
  sha256: string | undefined;
  /** Of the audio, what was processed: less than came if the connection ended before. */
  processedBytes: number;
  controlMessages: { KeepAlive: number; Finalize: number; CloseStream: number };
  audioMessageBytes: number[];
  audioArrivalsMs: number[];
}

/** Sec-WebSocket-Protocol and Authorization may carry the key, so they are not among them. */
const HEADERS_OF_INTEREST = ['user-agent', 'sec-websocket-extensions', 'host'];

/** Keeps the exact audio of one connection, and the facts about it: in `directory` as `<requestId>.pcm` and
 *  `<requestId>.json`, or the audio in memory when there is none. */
export class Recording {
  readonly facts: ConnectionFacts;
  readonly #openedMs = performance.now();
  readonly #hash = createHash('sha256');
  readonly #chunks: Buffer[] = [];
  readonly #directory: string | undefined;
  readonly #file: number | undefined;

  constructor(requestId: string, query: [string, string][], headers: IncomingHttpHeaders, directory?: string) {
    this.facts = {
      requestId,
      query,
      headers: Object.fromEntries(
        HEADERS_OF_INTEREST.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
      ),
      openedAt: new Date().toISOString(),
      closedAt: undefined,
      open: true,
      closeCode: undefined,
      closeReason: undefined,
      error: undefined,
      bytes: 0,
      sha256: undefined,
      processedBytes: 0,
      controlMessages: { KeepAlive: 0, Finalize: 0, CloseStream: 0 },
      audioMessageBytes: [],
      audioArrivalsMs: [],
    };
    this.#directory = directory;
    if (directory === undefined) return;
    mkdirSync(directory, { recursive: true });
    this.#file = openSync(join(directory, `${requestId}.pcm`), 'w');
  }

  /** Keeps one audio message. */
  take(audio: Buffer): void {
    this.facts.bytes += audio.length;
    this.facts.audioMessageBytes.push(audio.length);
    this.facts.audioArrivalsMs.push(Math.round(performance.now() - this.#openedMs));
    this.#hash.update(audio);
    // A copy: a message is a view of a larger buffer that would be kept with it.
    if (this.#file === undefined) this.#chunks.push(Buffer.from(audio));
    else writeSync(this.#file, audio);
  }

  /** All audio so far. */
  audio(): Buffer {
    if (this.#directory === undefined) return Buffer.concat(this.#chunks);
    return readFileSync(join(this.#directory, `${this.facts.requestId}.pcm`));
  }

  /** SHA-256 of all audio so far, in hex. */
  sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  /** The connection is over; nothing may be taken after this. */
  close(code: number, reason: string): void {
    Object.assign(this.facts, {
      open: false,
      sha256: this.sha256(),
      closedAt: new Date().toISOString(),
      closeCode: code,
      closeReason: reason,
    });
    if (this.#file === undefined || this.#directory === undefined) return;
    closeSync(this.#file);
    writeFileSync(join(this.#directory, `${this.facts.requestId}.json`), JSON.stringify(this.facts, null, 1));
  }
}
