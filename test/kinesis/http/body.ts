import { type MediaBytes, nextOf, type TakeBytes } from '../../../daemon/kinesis/http/media-body.ts';

/** A body of what `source` yields; broken by what it throws. */
export function bodyOf(source: AsyncGenerator<Uint8Array, void>): MediaBytes {
  const body = {
    fault: undefined as Error | undefined,
    read(_notBeforeMs: number, take: TakeBytes) {
      source.next().then(
        ({ value }) => take(value ?? undefined),
        (error: Error) => {
          body.fault = error;
          take(undefined);
        },
      );
    },
  };
  return body;
}

/** The rest of a body. Throws what broke it. */
export async function wholeOf(body: MediaBytes): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  // The bytes are valid until the next call.
  for (let bytes = await nextOf(body); bytes; bytes = await nextOf(body)) parts.push(Buffer.from(bytes));
  if (body.fault) throw body.fault;
  return Buffer.concat(parts);
}
