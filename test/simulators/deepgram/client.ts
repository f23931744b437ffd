import type { Fault } from './faults.ts';
import type { ConnectionFacts } from './recording.ts';

/** Controls a Deepgram simulator that listens at `url`. */
export class DeepgramControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** All connections so far, oldest first. */
  async connections(): Promise<ConnectionFacts[]> {
    const response = await fetch(new URL('/simulator/connections', this.url));
    return (await response.json()) as ConnectionFacts[];
  }

  /** The connections with the tag. */
  async connectionsTagged(tag: string): Promise<ConnectionFacts[]> {
    const tagged = ({ query }: ConnectionFacts) => query.some(([name, value]) => name === 'tag' && value === tag);
    return (await this.connections()).filter(tagged);
  }

  /** All audio that a connection received. */
  async audio(requestId: string): Promise<Buffer> {
    const response = await fetch(new URL(`/simulator/connections/${requestId}/audio`, this.url));
    return Buffer.from(await response.arrayBuffer());
  }

  /** Adds faults, one for each of the next handshakes. */
  async addFaults(...faults: readonly Fault[]): Promise<void> {
    const response = await fetch(new URL('/simulator/faults', this.url), {
      method: 'POST',
      body: JSON.stringify(faults),
    });
    if (!response.ok) throw new Error(`the faults were refused: ${await response.text()}`);
  }

  /** Resets every open connection. */
  async breakAll(): Promise<void> {
    const response = await fetch(new URL('/simulator/break', this.url), { method: 'POST' });
    if (!response.ok) throw new Error(`the connections were not broken: ${await response.text()}`);
  }

  /** Adds faults, one for each of the next handshakes with the tag. */
  async addFaultsFor(tag: string, ...faults: readonly Fault[]): Promise<void> {
    await this.addFaults(...faults.map((fault) => ({ ...fault, tag })));
  }
}
