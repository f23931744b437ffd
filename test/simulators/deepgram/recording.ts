import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/** Facts about a connection, for tests. Times in ms are relative to its opening. */
export interface ConnectionFacts {
  requestId: string;
  query: [name: string, value: string][];
  headers: Record<string, string>;
  openedAt: string;
  closedAt: string | undefined;
  open: boolean;
  closeCode: number | undefined;
  closeReason: string | undefined;
  /** The WebSocket's error, if any. */
  error: string | undefined;
  bytes: number;
  /** Hex digest of all audio, once the connection is closed. */
  sha256: string | undefined;
  /** Processed audio: less than received if the connection ended first. */
  processedBytes: number;
  controlMessages: { KeepAlive: number; Finalize: number; CloseStream: number };
  audioMessageBytes: number[];
  audioArrivalsMs: number[];
}

/** Without Sec-WebSocket-Protocol and Authorization, which may contain the key. */
const HEADERS_OF_INTEREST = ['user-agent', 'sec-websocket-extensions', 'host'];

/** Records a connection's audio and facts, in `directory` as `<requestId>.pcm` and `<requestId>.json`, or in memory. */
export class Recording {
  readonly facts: ConnectionFacts;
  readonly #openedMs = performance.now();
  readonly #hash = createHash('sha256');
  readonly #chunks: Buffer[] = [];
  readonly #directory: string | undefined;
  readonly #file: number | undefined;
  readonly #changed: () => void;

  /** @param changed called after each change */
  constructor(
    requestId: string,
    query: [string, string][],
    headers: IncomingHttpHeaders,
    changed: () => void,
    directory?: string,
  ) {
    this.#changed = changed;
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

  /** Records an audio message. */
  take(audio: Buffer): void {
    this.facts.bytes += audio.length;
    this.facts.audioMessageBytes.push(audio.length);
    this.facts.audioArrivalsMs.push(Math.round(performance.now() - this.#openedMs));
    this.#hash.update(audio);
    // A copy, because a message is a view of a larger buffer.
    if (this.#file === undefined) this.#chunks.push(Buffer.from(audio));
    else writeSync(this.#file, audio);
    this.#changed();
  }

  /** All audio so far. */
  audio(): Buffer {
    if (this.#directory === undefined) return Buffer.concat(this.#chunks);
    return readFileSync(join(this.#directory, `${this.facts.requestId}.pcm`));
  }

  /** Hex SHA-256 of all audio so far. */
  sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  /** The connection has closed; no audio may follow. */
  close(code: number, reason: string): void {
    Object.assign(this.facts, {
      open: false,
      sha256: this.sha256(),
      closedAt: new Date().toISOString(),
      closeCode: code,
      closeReason: reason,
    });
    this.#changed();
    if (this.#file === undefined || this.#directory === undefined) return;
    closeSync(this.#file);
    writeFileSync(join(this.#directory, `${this.facts.requestId}.json`), JSON.stringify(this.facts, null, 1));
  }
}
