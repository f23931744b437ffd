import type { z } from 'zod';
import type { ResultsEvent } from '../../../daemon/contract/events.ts';
import { readRecorded, sendOrder } from '../control-client.ts';
import type { consumerRules, ReceivedRequest } from './consumer.ts';

/** Controls a consumer of webhooks that listens at `url`. */
export class WebhookControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Replaces the rules; without any, every verified request is answered 200. */
  async setRules(...rules: z.input<typeof consumerRules>): Promise<void> {
    await sendOrder(this.url, 'rules', rules);
  }

  /** All requests so far, oldest first. */
  requests(): Promise<ReceivedRequest[]> {
    return readRecorded(this.url, 'requests');
  }

  /** All accepted events so far, in order of arrival, with repeats. */
  events(): Promise<ResultsEvent[]> {
    return readRecorded(this.url, 'events');
  }

  /** The same, once `session.ended` is among them. */
  eventsToTheEnd(): Promise<ResultsEvent[]> {
    return this.eventsOnce((events) => events.some(({ type }) => type === 'session.ended'));
  }

  /** The same, once they are `complete`. */
  async eventsOnce(complete: (events: readonly ResultsEvent[]) => boolean): Promise<ResultsEvent[]> {
    let events = await this.events();
    while (!complete(events)) events = await readRecorded(this.url, `events?beyond=${events.length}`);
    return events;
  }
}
