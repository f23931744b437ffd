import type { Parsed } from './parsed.ts';

const CHANNEL_OF_TRACK: Readonly<Record<string, 0 | 1>> = { AUDIO_FROM_CUSTOMER: 0, AUDIO_TO_CUSTOMER: 1 };

/** Merges the two tracks the obvious way, which is also the original's: pairs their blocks as they arrive. */
export class Merger implements Parsed {
  readonly #contactId: string;
  readonly #send: (pcm: Buffer) => void;
  readonly #channels = new Map<number, 0 | 1>();
  readonly #queues: readonly [Buffer[], Buffer[]] = [[], []];
  #isOurs = false;

  constructor(contactId: string, send: (pcm: Buffer) => void) {
    this.#contactId = contactId;
    this.#send = send;
  }

  track(number: number, name: string): void {
    const channel = CHANNEL_OF_TRACK[name];
    if (channel !== undefined) this.#channels.set(number, channel);
  }

  tag(name: string, value: string): void {
    if (name === 'ContactId') this.#isOurs = value === this.#contactId;
  }

  block(track: number, payload: Buffer): void {
    const channel = this.#channels.get(track);
    if (channel === undefined || !this.#isOurs) return;
    this.#queues[channel].push(payload);
    const [customer, agent] = this.#queues;
    while (customer.length > 0 && agent.length > 0) {
      this.#send(interleaved(customer.shift() as Buffer, agent.shift() as Buffer));
    }
  }
}

/** Interleaves two blocks of the same length. */
function interleaved(customer: Buffer, agent: Buffer): Buffer {
  const pcm = Buffer.alloc(customer.length * 2);
  for (let at = 0; at < customer.length; at += 2) {
    pcm.writeInt16LE(customer.readInt16LE(at), at * 2);
    pcm.writeInt16LE(agent.readInt16LE(at), at * 2 + 2);
  }
  return pcm;
}
