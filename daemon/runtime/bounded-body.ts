import type { IncomingMessage } from 'node:http';

/** The body is larger than allowed. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/** The connection ended before the body did. */
export class BodyCutOff extends Error {
  override readonly name = 'BodyCutOff';
}

/** The whole body of a request or response. Throws BodyTooLarge or BodyCutOff. */
export async function readBody(message: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw new BodyTooLarge(`The body is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof BodyTooLarge) throw cause;
    throw new BodyCutOff(`The connection ended within the body: ${(cause as Error).message}`, { cause });
  }
  return Buffer.concat(chunks);
}
