import { readRecorded, sendOrder } from '../control-client.ts';
import type { Fault } from './faults.ts';
import type { ConnectionFacts } from './recording.ts';

/** Controls a Deepgram simulator that listens at `url`. */
export class DeepgramControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** All connections so far, oldest first. */
  connections(): Promise<ConnectionFacts[]> {
    return readRecorded(this.url, 'connections');
  }

  /** The connections with the tag, oldest first. */
  connectionsTagged(tag: string): Promise<ConnectionFacts[]> {
    return this.#connections({ tag });
  }

  /** Waits until a connection with the tag has received `bytes` of audio. */
  async received(tag: string, bytes: number): Promise<void> {
    const has = (connection: ConnectionFacts) => connection.bytes >= bytes;
    while (!(await this.#connections({ tag, bytes: String(bytes) })).some(has));
  }

  /** Waits until all connections with the tag are closed; returns them. */
  async closed(tag: string): Promise<ConnectionFacts[]> {
    for (;;) {
      const connections = await this.#connections({ tag, closed: '' });
      if (connections.every(({ open }) => !open)) return connections;
    }
  }

  /** All audio that a connection received. */
  async audio(requestId: string): Promise<Buffer> {
    const response = await fetch(new URL(`/simulator/connections/${requestId}/audio`, this.url));
    return Buffer.from(await response.arrayBuffer());
  }

  /** Adds faults, one for each of the next handshakes. */
  async addFaults(...faults: readonly Fault[]): Promise<void> {
    await sendOrder(this.url, 'faults', faults);
  }

  /** Resets every open connection. */
  async breakAll(): Promise<void> {
    await sendOrder(this.url, 'break');
  }

  /** Adds faults, one for each of the next handshakes with the tag. */
  async addFaultsFor(tag: string, ...faults: readonly Fault[]): Promise<void> {
    await this.addFaults(...faults.map((fault) => ({ ...fault, tag })));
  }

  #connections(asked: Record<string, string>): Promise<ConnectionFacts[]> {
    return readRecorded(this.url, `connections?${new URLSearchParams(asked)}`);
  }
}
