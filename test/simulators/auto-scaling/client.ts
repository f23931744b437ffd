import type { z } from 'zod';
import type { Action, ActionRequest, faultRules } from './api.ts';
import type { Hook, InstanceChange, Neighbors } from './group.ts';

/** Requests of an action that fail: the next one, the next `times`, or all with null. */
type FaultRule = z.input<typeof faultRules>[number];

/** Controls an Auto Scaling simulator that listens at `url`. */
export class AutoScalingControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Replaces the group's hooks. */
  async setHooks(...hooks: readonly Hook[]): Promise<void> {
    await this.#send('POST', 'hooks', hooks);
  }

  /** Changes the instance's state in the group; omitted fields stay as they are. */
  async setInstance(change: InstanceChange): Promise<void> {
    await this.#send('POST', 'instance', change);
  }

  /** Replaces the other instances of the group. */
  async setNeighbors(...neighbors: Neighbors): Promise<void> {
    await this.#send('POST', 'neighbors', neighbors);
  }

  async addFaults(...faults: readonly FaultRule[]): Promise<void> {
    await this.#send('POST', 'faults', faults);
  }

  /** All requests so far, or those of an action, oldest first. */
  async requests(action?: Action): Promise<ActionRequest[]> {
    const response = await fetch(new URL('/simulator/requests', this.url));
    const requests = (await response.json()) as ActionRequest[];
    return action ? requests.filter((request) => request.action === action) : requests;
  }

  async #send(method: string, path: string, body: unknown = {}): Promise<void> {
    const init = { method, body: JSON.stringify(body) };
    const response = await fetch(new URL(`/simulator/${path}`, this.url), init);
    if (!response.ok) throw new Error(`${method} /simulator/${path} was refused: ${await response.text()}`);
  }
}
