import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { ResultsEvent } from '../../../daemon/contract/events.ts';
import type { consumerRules, ReceivedRequest } from './consumer.ts';

const POLL_MS = 50;

/** Controls a consumer of webhooks that listens at `url`. */
export class WebhookControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Replaces the rules; without any, every verified request is answered 200. */
  async setRules(...rules: z.input<typeof consumerRules>): Promise<void> {
    const response = await fetch(new URL('/simulator/rules', this.url), {
      method: 'POST',
      body: JSON.stringify(rules),
    });
    if (!response.ok) throw new Error(`the rules were refused: ${await response.text()}`);
  }

  /** All requests so far, oldest first. */
  async requests(): Promise<ReceivedRequest[]> {
    return this.#get<ReceivedRequest[]>('requests');
  }

  /** All accepted events so far, in order of arrival, with repeats. */
  async events(): Promise<ResultsEvent[]> {
    return this.#get<ResultsEvent[]>('events');
  }

  /** The same, once `session.ended` is among them. */
  async eventsToTheEnd(): Promise<ResultsEvent[]> {
    for (;;) {
      const events = await this.events();
      if (events.some(({ type }) => type === 'session.ended')) return events;
      await sleep(POLL_MS);
    }
  }

  async #get<T>(what: string): Promise<T> {
    return (await (await fetch(new URL(`/simulator/${what}`, this.url))).json()) as T;
  }
}
