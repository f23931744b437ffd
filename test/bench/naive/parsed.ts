/** The parts of a Kinesis Video body that are needed to forward its audio. */
export interface Parsed {
  track(number: number, name: string): void;
  tag(name: string, value: string): void;
  block(track: number, payload: Buffer): void;
}
