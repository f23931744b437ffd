import type { ProxyFacts, TunnelOrder } from './proxy.ts';

/** Controls a proxy simulator that listens at `url`. */
export class ProxyControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async facts(): Promise<ProxyFacts> {
    const response = await fetch(new URL('/simulator/facts', this.url));
    return (await response.json()) as ProxyFacts;
  }

  /** Decides on the next requests for a tunnel to a host. */
  async order(order: TunnelOrder): Promise<void> {
    await this.#post('orders', order);
  }

  /** Resets every open tunnel. */
  async cut(): Promise<void> {
    await this.#post('cut', {});
  }

  async #post(path: string, body: object): Promise<void> {
    const init = { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(new URL(`/simulator/${path}`, this.url), init);
    if (!response.ok) throw new Error(`POST /simulator/${path} was refused: ${await response.text()}`);
  }
}
