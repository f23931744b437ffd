import type { z } from 'zod';
import { readRecorded, sendOrder } from '../control-client.ts';
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
    await sendOrder(this.url, 'hooks', hooks);
  }

  /** Changes the instance's state in the group; omitted fields stay as they are. */
  async setInstance(change: InstanceChange): Promise<void> {
    await sendOrder(this.url, 'instance', change);
  }

  /** Replaces the other instances of the group. */
  async setNeighbors(...neighbors: Neighbors): Promise<void> {
    await sendOrder(this.url, 'neighbors', neighbors);
  }

  async addFaults(...faults: readonly FaultRule[]): Promise<void> {
    await sendOrder(this.url, 'faults', faults);
  }

  /** All requests so far, or those of an action, oldest first. */
  async requests(action?: Action): Promise<ActionRequest[]> {
    const requests = await readRecorded<ActionRequest[]>(this.url, 'requests');
    return action ? requests.filter((request) => request.action === action) : requests;
  }
}
