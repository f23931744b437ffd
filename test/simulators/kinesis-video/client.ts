import { request } from 'node:http';
import type { z } from 'zod';
import type { CallRequest } from './call-request.ts';
import type { Side } from './cutter.ts';
import type { faultRules } from './faults.ts';
import type { ConnectionCount } from './limits.ts';
import type { AwsRequest } from './request-log.ts';
import type { Retention } from './stream.ts';

/** Where to read a call, as Connect passes it to the contact flow. */
interface StartedCall {
  readonly streamArn: string;
  readonly startFragmentNumber: string;
  readonly startTimestamp: string;
  readonly callId: string;
}

export interface CallState {
  readonly callId: string;
  readonly contactId: string;
  readonly streamArn: string;
  readonly state: 'running' | 'finished' | 'stopped';
  readonly finished: boolean;
  /** PCM bytes stored so far. */
  readonly bytes: Readonly<Record<Side, number>>;
}

interface Requests {
  readonly requests: readonly AwsRequest[];
  readonly counts: Readonly<Record<AwsRequest['api'], number>>;
  readonly connections: Readonly<Record<string, ConnectionCount>>;
}

/** A call as described by a test: PCM as bytes, the rest as in the request. */
export type CallDescription = Omit<CallRequest, Side> & Partial<Record<Side, Uint8Array>>;

/** A fault of a coming request (`api` defaults to GetMedia); the first match is consumed. */
export type FaultRule = z.input<typeof faultRules>[number];

/** Controls a Kinesis Video simulator that listens at `url`. */
export class KinesisVideoControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Creates the stream, or changes its retention; returns its ARN. */
  async putStream(name: string, retention: Retention = {}): Promise<string> {
    const { streamArn } = await this.#ask<{ streamArn: string }>('PUT', `streams/${name}`, retention);
    return streamArn;
  }

  startCall(stream: string, { customer, agent, ...call }: CallDescription): Promise<StartedCall> {
    const body = { ...call, customer: base64(customer), agent: base64(agent) };
    return this.#ask('POST', `streams/${stream}/calls`, body);
  }

  call(callId: string): Promise<CallState> {
    return this.#ask('GET', `calls/${callId}`);
  }

  /** Waits until the whole call has been stored. */
  callEnd(callId: string): Promise<CallState> {
    return this.#ask('GET', `calls/${callId}/end`);
  }

  stopCall(callId: string): Promise<CallState> {
    return this.#ask('DELETE', `calls/${callId}`);
  }

  requests(): Promise<Requests> {
    return this.#ask('GET', 'requests');
  }

  async addFaults(...rules: readonly FaultRule[]): Promise<void> {
    await this.#ask('POST', 'faults', rules);
  }

  async #ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const { status, text } = await send(method, new URL(`/simulator/${path}`, this.url), JSON.stringify(body ?? {}));
    const answer = JSON.parse(text) as Answer & { error?: string };
    if (status !== 200) throw new Error(`${method} /simulator/${path} was refused (${status}): ${answer.error}`);
    return answer;
  }
}

/** Not `fetch`, which times out after 5 minutes: a call may take longer. */
function send(method: string, url: URL, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': Buffer.byteLength(body) };
    // A connection per request: on a busy machine the simulator closes a reused one after 5 s, while a call of
    // megabytes is still being serialized, and then writing it fails (EPIPE).
    const call = request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.once('error', reject).once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.once('error', reject).end(body);
  });
}

function base64(pcm: Uint8Array | undefined): string | undefined {
  return pcm && Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength).toString('base64');
}
