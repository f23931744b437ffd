import type { ServerResponse } from 'node:http';
import type { Fault } from './faults.ts';
import { errorChunk, fragmentTail } from './mkv.ts';
import type { AwsRequest, BodyEnd } from './request-log.ts';
import type { Fragment, Stream } from './stream.ts';

/** AWS's error for a fragment that does not exist (any longer). */
const NOT_FOUND_ID = 4000;
const NOT_FOUND_CODE = 'Requested fragment is not found';

/** Not triggered by a number of fragments or bytes. */
const NO_FAULT = {
  endAfterFragments: Infinity,
  resetAfterFragments: Infinity,
  stallAfterFragments: Infinity,
  errorAfterFragments: Infinity,
  errorId: 0,
  errorCode: '',
  resetAfterBytes: Infinity,
  corruptAfterBytes: Infinity,
  bytes: '',
};

export interface BodyLimits {
  /** A body ends after this long without a new fragment. */
  readonly idleEndMs: number;
  /** A body ends at this age. */
  readonly maxConnectionMs: number;
}

interface BodyOptions {
  readonly stream: Stream;
  /** Start position in the stream. */
  readonly position: number;
  /** Its headers have been sent. */
  readonly response: ServerResponse;
  readonly record: AwsRequest;
  readonly fault: Fault | undefined;
  readonly limits: BodyLimits;
  /** Called once, with a fault that was not due yet. */
  readonly onEnd: (unused: Fault | undefined) => void;
}

/** A GetMedia body: sends the stream's fragments from a position on, as they arrive and as fast as the client reads. */
export class MediaBody {
  readonly #stream: Stream;
  readonly #response: ServerResponse;
  readonly #record: AwsRequest;
  readonly #fault: typeof NO_FAULT;
  readonly #given: Fault | undefined;
  readonly #onEnd: BodyOptions['onEnd'];
  readonly #unsubscribe: () => void;
  readonly #idle: NodeJS.Timeout;
  readonly #old: NodeJS.Timeout;
  #position: number;
  /** The current fragment, and how many of its parts have been sent. */
  #current: Fragment | undefined;
  #partsSent = 0;
  #lastNumber = '0';
  #fragmentsSent = 0;
  #bytesSent = 0;
  #state: 'flowing' | 'full' | 'stalled' | 'ended' = 'flowing';

  constructor({ stream, position, response, record, fault, limits, onEnd }: BodyOptions) {
    this.#stream = stream;
    this.#position = position;
    this.#response = response;
    this.#record = record;
    this.#given = fault;
    this.#fault = { ...NO_FAULT, ...fault };
    this.#onEnd = onEnd;
    this.#unsubscribe = stream.subscribe(() => this.#pump());
    this.#idle = setTimeout(() => this.#whenIdle(), limits.idleEndMs);
    this.#old = setTimeout(() => this.#end('age'), limits.maxConnectionMs);
    response.on('drain', () => {
      if (this.#state === 'full') this.#state = 'flowing';
      this.#pump();
    });
    response.once('close', () => this.#settle('client'));
    this.#strike();
    this.#pump();
  }

  #pump(): void {
    while (this.#state === 'flowing') {
      this.#current ??= this.#nextFragment();
      if (!this.#current) return;
      const part = this.#current.parts[this.#partsSent];
      if (part) {
        this.#partsSent += 1;
        this.#send(part);
      } else if (this.#current.complete) {
        this.#finishFragment(this.#current);
      } else return;
    }
  }

  #nextFragment(): Fragment | undefined {
    const fragment = this.#stream.at(this.#position);
    if (fragment !== 'gone') return fragment;
    this.#send(notFoundChunk(this.#lastNumber));
    this.#end('not-found');
    return undefined;
  }

  #finishFragment({ number, serverMs }: Fragment): void {
    this.#lastNumber = String(number);
    this.#send(fragmentTail(this.#lastNumber, Math.max(0, Date.now() - serverMs)));
    this.#current = undefined;
    this.#partsSent = 0;
    this.#position += 1;
    this.#fragmentsSent += 1;
    this.#record.fragments = this.#fragmentsSent;
    this.#strike();
  }

  #send(part: Buffer): void {
    const { resetAfterBytes, corruptAfterBytes, bytes } = this.#fault;
    const allowed = part.subarray(0, resetAfterBytes - this.#bytesSent);
    const sent = overwritten(allowed, corruptAfterBytes - this.#bytesSent, Buffer.from(bytes, 'base64'));
    this.#bytesSent += sent.length;
    this.#record.bytes = this.#bytesSent;
    this.#idle.refresh();
    if (!this.#response.write(sent)) this.#state = 'full';
    if (this.#bytesSent >= resetAfterBytes) this.#reset();
  }

  /** Applies a fault whose number of fragments has been reached. */
  #strike(): void {
    const { endAfterFragments, resetAfterFragments, stallAfterFragments, errorAfterFragments } = this.#fault;
    if (this.#fragmentsSent >= errorAfterFragments) {
      this.#send(errorChunk(this.#lastNumber, this.#fault.errorId, this.#fault.errorCode));
      this.#end('fault');
    }
    if (this.#fragmentsSent >= endAfterFragments) this.#end('fault');
    if (this.#fragmentsSent >= resetAfterFragments) this.#reset();
    if (this.#state !== 'ended' && this.#fragmentsSent >= stallAfterFragments) this.#state = 'stalled';
  }

  #whenIdle(): void {
    if (this.#state === 'flowing') this.#end('idle');
    else if (this.#state !== 'ended') this.#idle.refresh();
  }

  #end(by: BodyEnd): void {
    if (this.#state === 'ended') return;
    this.#settle(by);
    this.#response.end();
  }

  /** Breaks the connection after what has been written, without a last chunk, so that the client notices. */
  #reset(): void {
    this.#settle('fault');
    this.#response.socket?.destroySoon();
  }

  #settle(by: BodyEnd): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#record.endedBy = by;
    this.#unsubscribe();
    clearTimeout(this.#idle);
    clearTimeout(this.#old);
    this.#onEnd(by === 'fault' || this.#hasStruck ? undefined : this.#given);
  }

  get #hasStruck(): boolean {
    const { endAfterFragments, resetAfterFragments, stallAfterFragments, errorAfterFragments } = this.#fault;
    const fragments = Math.min(endAfterFragments, resetAfterFragments, stallAfterFragments, errorAfterFragments);
    const bytes = Math.min(this.#fault.resetAfterBytes, this.#fault.corruptAfterBytes);
    return this.#fragmentsSent >= fragments || this.#bytesSent > bytes;
  }
}

/** The chunk that reports that this fragment is not available. */
export function notFoundChunk(number: string): Buffer {
  return errorChunk(number, NOT_FOUND_ID, NOT_FOUND_CODE);
}

/** A copy of the shared `part`, overwritten with `bytes` from `at` on, which may be before or after the part. */
function overwritten(part: Buffer, at: number, bytes: Buffer): Buffer {
  if (at >= part.length || at + bytes.length <= 0) return part;
  const copy = Buffer.from(part);
  bytes.subarray(Math.max(0, -at)).copy(copy, Math.max(0, at));
  return copy;
}
