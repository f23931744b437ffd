/** One measurement of a stage, made by its own process. */
export interface StageTask {
  readonly stage: 'demux' | 'align' | 'link';
  readonly contender: string;
  readonly feed: string;
  readonly calls: number;
  /** Duration of a measurement in real time. */
  readonly seconds: number;
  /** CPU to spend on a measurement that runs as fast as it can. */
  readonly cpuMs: number;
  /** Where the link stage sends to. */
  readonly deepgramUrl: string;
}

export interface Measured {
  /** CPU per second of call, or per MB of a capture. */
  readonly cpuMsPerUnit: number;
  /** Checksum of the audio: must be the same for all contenders. */
  readonly checksum: number;
  /** Link stage only: blocks sent, per call. */
  readonly sent?: readonly number[];
}
