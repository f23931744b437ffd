import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { Action, ActionRequest, faultRules } from './api.ts';
import type { Hook, InstanceChange } from './group.ts';

/** The stand-in tells no news by itself; it is asked so often. */
const POLL_MS = 20;

/** The next requests of an action that go wrong: one unless `times` says otherwise, all with null. */
export type FaultRule = z.input<typeof faultRules>[number];

/** The controls of an Auto Scaling stand-in that listens at `url`. */
export class AutoScalingControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Replaces the hooks of the group. */
  async setHooks(...hooks: readonly Hook[]): Promise<void> {
    await this.#send('POST', 'hooks', hooks);
  }

  /** Changes what Auto Scaling holds of the instance; what is not named stays. */
  async setInstance(change: InstanceChange): Promise<void> {
    await this.#send('POST', 'instance', change);
  }

  async addFaults(...faults: readonly FaultRule[]): Promise<void> {
    await this.#send('POST', 'faults', faults);
  }

  async clearFaults(): Promise<void> {
    await this.#send('DELETE', 'faults');
  }

  /** The requests so far, in the order of their arrival; of one action when that is named. */
  async requests(action?: Action): Promise<ActionRequest[]> {
    const response = await fetch(new URL('/standin/requests', this.url));
    const requests = (await response.json()) as ActionRequest[];
    return action ? requests.filter((request) => request.action === action) : requests;
  }

  /** Waits until so many requests of the action have been answered well; gives them. */
  async succeeded(action: Action, count = 1): Promise<ActionRequest[]> {
    for (;;) {
      const requests = (await this.requests(action)).filter(({ status }) => status === 200);
      if (requests.length >= count) return requests;
      await sleep(POLL_MS);
    }
  }

  async #send(method: string, path: string, body: unknown = {}): Promise<void> {
    const init = { method, body: JSON.stringify(body) };
    const response = await fetch(new URL(`/standin/${path}`, this.url), init);
    if (!response.ok) throw new Error(`${method} /standin/${path} was refused: ${await response.text()}`);
  }
}
