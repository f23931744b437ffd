/**
 * Says where two runs of bytes differ first, and 'the same' when they do not. `t.deepEqual` would compare them property by
 * property: a second for a minute of audio.
 */
export function byteDifference(actual: Uint8Array | undefined, expected: Uint8Array): string {
  if (!actual) return 'there are no bytes';
  if (Buffer.compare(actual, expected) === 0) return 'the same';
  const at = expected.findIndex((byte, i) => actual[i] !== byte);
  if (at < 0) return `${actual.length} bytes, not ${expected.length}`;
  return `byte ${at} of ${expected.length} is ${actual[at]}, not ${expected[at]}`;
}
