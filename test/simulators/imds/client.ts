import { readRecorded, sendOrder } from '../control-client.ts';
import type { FaultRule, MetadataRequest, StateChange } from './service.ts';

/** Controls an instance metadata simulator that listens at `url`. */
export class MetadataControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Changes the metadata; omitted fields stay as they are. */
  async setState(change: StateChange): Promise<void> {
    await sendOrder(this.url, 'state', change);
  }

  /** The next requests go wrong: one unless `times` says otherwise, all with null. */
  async setFault(rule: FaultRule): Promise<void> {
    await sendOrder(this.url, 'fault', rule);
  }

  /** Expires all tokens. */
  async expireTokens(): Promise<void> {
    await sendOrder(this.url, 'expire-tokens', {});
  }

  /** All requests so far, oldest first. */
  requests(): Promise<MetadataRequest[]> {
    return readRecorded(this.url, 'requests');
  }
}
