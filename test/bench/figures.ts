import type { Options, Stage } from './options.ts';
import type { WholeRound } from './whole/round.ts';

/** What one contender needed in one comparison, over all rounds. */
export interface Figure {
  readonly stage: Stage;
  /** Its input. */
  readonly feed: string;
  readonly contender: string;
  readonly unit: 's of call' | 'MB';
  /** CPU in ms per unit: the median, and each round's value. */
  readonly cpuMs: number;
  readonly rounds: readonly number[];
  /** Details of each round of the whole. */
  readonly whole?: readonly WholeRound[];
}

export interface Target {
  readonly name: string;
  readonly atMost: number;
  readonly value: number;
  readonly met: boolean;
}

export interface Report {
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGib: number;
    readonly system: string;
  };
  readonly node: string;
  readonly options: Options;
  readonly figures: readonly Figure[];
  readonly targets: readonly Target[];
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]] as [number, number];
  return (low + high) / 2;
}
