import type { FaultRule, MetadataRequest, StateChange } from './service.ts';

/** Controls an instance metadata simulator that listens at `url`. */
export class MetadataControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Changes the metadata; omitted fields stay as they are. */
  async setState(change: StateChange): Promise<void> {
    await this.#post('state', change);
  }

  /** The next requests go wrong: one unless `times` says otherwise, all with null. */
  async setFault(rule: FaultRule): Promise<void> {
    await this.#post('fault', rule);
  }

  /** Expires all tokens. */
  async expireTokens(): Promise<void> {
    await this.#post('expire-tokens', {});
  }

  /** All requests so far, oldest first. */
  async requests(): Promise<MetadataRequest[]> {
    const response = await fetch(new URL('/simulator/requests', this.url));
    return (await response.json()) as MetadataRequest[];
  }

  async #post(path: string, body: object): Promise<void> {
    const init = { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(new URL(`/simulator/${path}`, this.url), init);
    if (!response.ok) throw new Error(`POST /simulator/${path} was refused: ${await response.text()}`);
  }
}
