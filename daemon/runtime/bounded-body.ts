/** The body is larger than allowed. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/** The connection ended before the body did. */
export class BodyCutOff extends Error {
  override readonly name = 'BodyCutOff';
}

/** What came of a body, and what ended it early. */
interface Received {
  readonly bytes: Buffer;
  readonly isTooLarge: boolean;
  readonly fault: unknown;
}

/** The whole body of a request or response. Throws BodyTooLarge or BodyCutOff. */
export async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const { bytes, isTooLarge, fault } = await receive(body, maxBytes);
  if (isTooLarge) throw new BodyTooLarge(`The body is larger than ${maxBytes} bytes`);
  if (fault === undefined) return bytes;
  const reason = fault instanceof Error ? fault.message : String(fault);
  throw new BodyCutOff(`The connection ended within the body: ${reason}`, { cause: fault });
}

/** The first bytes of a body: all that came of it, up to `maxBytes`. Never rejects. */
export async function readBeginning(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const { bytes } = await receive(body, maxBytes);
  return bytes.subarray(0, maxBytes);
}

async function receive(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Received> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let fault: unknown;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) break;
    }
  } catch (error) {
    fault = error;
  }
  return { bytes: Buffer.concat(chunks), isTooLarge: length > maxBytes, fault };
}
