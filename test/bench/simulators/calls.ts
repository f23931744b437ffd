/** The streams of the calls, named so that their number can be told. */
export function streamArnOf(call: number): string {
  return `arn:aws:kinesisvideo:us-east-1:123456789012:stream/bench-${call}/1790000000000`;
}

export function callOfStream(arn: string): number {
  const call = /stream\/bench-(\d+)\//.exec(arn)?.[1];
  if (call === undefined) throw new Error(`not a stream of this benchmark: ${arn}`);
  return Number(call);
}
