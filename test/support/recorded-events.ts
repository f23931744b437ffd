import {
  type FinalTranscript,
  type HintContent,
  hintContent,
  type NumberedContent,
  numberedContent,
} from '../../daemon/contract/events.ts';
import type { ChannelTimes, EventLog, RelayState } from '../../daemon/results/event-log.ts';

/** An event log that keeps what it gets in memory, and checks it against the contract. */
export class RecordedEvents implements EventLog {
  readonly epoch: number;
  readonly numbered: NumberedContent[] = [];
  readonly hints: HintContent[] = [];
  state: RelayState | undefined;
  deliveredMs: ChannelTimes = [0, 0];
  isDrained = false;

  constructor(epoch = 1, state?: RelayState) {
    this.epoch = epoch;
    this.state = state;
  }

  get sequence(): number {
    return this.numbered.length;
  }

  get finals(): FinalTranscript[] {
    return this.numbered.filter((event): event is FinalTranscript => event.type === 'transcript');
  }

  append(content: NumberedContent, state: RelayState): void {
    // A copy through JSON, as consumers get it: later changes must not show.
    this.numbered.push(numberedContent.parse(JSON.parse(JSON.stringify(content))));
    const { finalMs, lastWords, finals } = state;
    this.state = structuredClone({ finalMs, lastWords, finals });
  }

  hint(content: HintContent): void {
    this.hints.push(hintContent.parse(JSON.parse(JSON.stringify(content))));
  }

  async drained(): Promise<void> {
    this.isDrained = true;
  }
}
