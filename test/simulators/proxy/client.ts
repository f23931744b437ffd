import { readRecorded, sendOrder } from '../control-client.ts';
import type { ProxyFacts, TunnelOrder } from './proxy.ts';

/** Controls a proxy simulator that listens at `url`. */
export class ProxyControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  facts(): Promise<ProxyFacts> {
    return readRecorded(this.url, 'facts');
  }

  /** Decides on the next requests for a tunnel to a host. */
  async order(order: TunnelOrder): Promise<void> {
    await sendOrder(this.url, 'orders', order);
  }

  /** Resets every open tunnel. */
  async cut(): Promise<void> {
    await sendOrder(this.url, 'cut', {});
  }
}
