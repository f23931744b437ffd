import type { MetadataRequest, StateChange } from './service.ts';

/** The controls of an instance metadata stand-in that listens at `url`. */
export class MetadataControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Changes what the instance is told; what is not named stays. */
  async setState(change: StateChange): Promise<void> {
    await this.#post('state', change);
  }

  /** The tokens so far are good no more. */
  async expireTokens(): Promise<void> {
    await this.#post('expire-tokens', {});
  }

  /** All requests so far, in the order of their arrival. */
  async requests(): Promise<MetadataRequest[]> {
    const response = await fetch(new URL('/standin/requests', this.url));
    return (await response.json()) as MetadataRequest[];
  }

  async #post(path: string, body: object): Promise<void> {
    const init = { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(new URL(`/standin/${path}`, this.url), init);
    if (!response.ok) throw new Error(`POST /standin/${path} was refused: ${await response.text()}`);
  }
}
