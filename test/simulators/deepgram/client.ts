import type { Fault } from './faults.ts';
import type { ConnectionFacts } from './recording.ts';

/** The controls of a Deepgram stand-in that listens at `url`. */
export class DeepgramControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** All connections so far, in the order in which they were opened. */
  async connections(): Promise<ConnectionFacts[]> {
    const response = await fetch(new URL('/standin/connections', this.url));
    return (await response.json()) as ConnectionFacts[];
  }

  /** The connections of one session, told by the tag that it was started with. */
  async connectionsTagged(tag: string): Promise<ConnectionFacts[]> {
    const tagged = ({ query }: ConnectionFacts) => query.some(([name, value]) => name === 'tag' && value === tag);
    return (await this.connections()).filter(tagged);
  }

  /** Exactly the audio that one connection received. */
  async audio(requestId: string): Promise<Buffer> {
    const response = await fetch(new URL(`/standin/connections/${requestId}/audio`, this.url));
    return Buffer.from(await response.arrayBuffer());
  }

  /** Orders what goes wrong with the next handshakes, one each. */
  async addFaults(...faults: readonly Fault[]): Promise<void> {
    const response = await fetch(new URL('/standin/faults', this.url), {
      method: 'POST',
      body: JSON.stringify(faults),
    });
    if (!response.ok) throw new Error(`the faults were refused: ${await response.text()}`);
  }

  /** Orders what goes wrong with the next handshakes that have the tag. */
  async addFaultsFor(tag: string, ...faults: readonly Fault[]): Promise<void> {
    await this.addFaults(...faults.map((fault) => ({ ...fault, tag })));
  }
}
