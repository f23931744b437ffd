import type { MediaBytes } from '../../../daemon/kinesis/http/media-body.ts';

/** A body of what `source` yields; broken by what it throws. */
export function bodyOf(source: AsyncGenerator<Uint8Array, void>): MediaBytes {
  const body = {
    fault: undefined as Error | undefined,
    async next() {
      try {
        return (await source.next()).value ?? undefined;
      } catch (error) {
        body.fault = error as Error;
        return undefined;
      }
    },
  };
  return body;
}

/** The rest of a body. Throws what broke it. */
export async function wholeOf(body: MediaBytes): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  // The bytes are valid until the next call.
  for (let bytes = await body.next(); bytes; bytes = await body.next()) parts.push(Buffer.from(bytes));
  if (body.fault) throw body.fault;
  return Buffer.concat(parts);
}
