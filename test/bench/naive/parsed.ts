/** What anybody needs of a Kinesis Video body to send its audio on. */
export interface Parsed {
  track(number: number, name: string): void;
  tag(name: string, value: string): void;
  block(track: number, payload: Buffer): void;
}
