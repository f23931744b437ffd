import { request } from 'node:http';
import type { z } from 'zod';
import type { CallRequest } from './call-request.ts';
import type { Side } from './cutter.ts';
import type { faultRules } from './faults.ts';
import type { ConnectionCount } from './limits.ts';
import type { AwsRequest } from './request-log.ts';
import type { Retention } from './stream.ts';

/** Where a call can be read: what Connect would tell the contact flow. */
export interface StartedCall {
  readonly streamArn: string;
  readonly startFragmentNumber: string;
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

export interface Requests {
  readonly requests: readonly AwsRequest[];
  readonly counts: Readonly<Record<AwsRequest['api'], number>>;
  readonly connections: Readonly<Record<string, ConnectionCount>>;
}

/** A call as a test describes it: PCM as bytes, the rest as the stand-in takes it. */
export type CallDescription = Omit<CallRequest, Side> & Partial<Record<Side, Uint8Array>>;

/** A rule for one of the next requests (`api` is GetMedia when not given); the first that fits is used up. */
export type FaultRule = z.input<typeof faultRules>[number];

/** The controls of a Kinesis Video stand-in that listens at `url`. */
export class KinesisVideoControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Makes the stream, or changes its retention; gives its ARN. */
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

  /** Waits until nothing more of the call will come. */
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
    const { status, text } = await send(method, new URL(`/standin/${path}`, this.url), JSON.stringify(body ?? {}));
    const answer = JSON.parse(text) as Answer & { error?: string };
    if (status !== 200) throw new Error(`${method} /standin/${path} was refused (${status}): ${answer.error}`);
    return answer;
  }
}

/** Not `fetch`: it gives up after 5 minutes without an answer, and the end of a call may be further away. */
function send(method: string, url: URL, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': Buffer.byteLength(body) };
    // A connection for each request: on a busy machine one that was kept is closed by the stand-in, after 5 s, while a
    // call of megabytes is still being put into words, and to write it then fails (EPIPE).
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
