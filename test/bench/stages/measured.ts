/** One measurement of a stage, done by a process of its own. */
export interface StageTask {
  readonly stage: 'demux' | 'align' | 'link';
  readonly contender: string;
  readonly feed: string;
  readonly calls: number;
  /** How long a measurement in real time lasts. */
  readonly seconds: number;
  /** How much CPU a measurement uses that goes as fast as it can. */
  readonly cpuMs: number;
  /** Where the link stage sends to. */
  readonly deepgramUrl: string;
}

export interface Measured {
  /** CPU per second of call, or per MB of a capture. */
  readonly cpuMsPerUnit: number;
  /** Of the audio: the same for all contenders, or one of them is wrong. */
  readonly checksum: number;
  /** Blocks that the link stage sent of each call. */
  readonly sent?: readonly number[];
}
