import { BadHttp } from './http-body.ts';

/** More than any service sends: Node's own limit. */
const MAX_HEAD_BYTES = 16 * 1024;
const END_OF_HEAD = '\r\n\r\n';

/** What stands before the body of an HTTP/1.1 answer. */
export interface Head {
  readonly statusCode: number;
  /** By names in lower case; of a name that stands more than once all values, comma-separated (RFC 9110, 5.3). */
  readonly headers: Record<string, string>;
}

/** Reads the head of an answer as its bytes come. */
export class HeadReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** Gives the head and what came after it, once it is whole; undefined before. Throws BadHttp. */
  take(bytes: Uint8Array): { head: Head; rest: Uint8Array } | undefined {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const end = this.#bytes.indexOf(END_OF_HEAD);
      if ((end < 0 ? this.#bytes.length : end) > MAX_HEAD_BYTES) {
        throw new BadHttp(`a head of more than ${MAX_HEAD_BYTES} bytes`);
      }
      if (end < 0) return undefined;
      const head = parseHead(this.#bytes.toString('latin1', 0, end));
      this.#bytes = this.#bytes.subarray(end + END_OF_HEAD.length);
      // 1xx come before the answer itself (RFC 9110, 15.2).
      if (head.statusCode >= 200) return { head, rest: this.#bytes };
    }
  }
}

function parseHead(text: string): Head {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) throw new BadHttp('no status line where one must stand');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new BadHttp('a header without a name');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  return { statusCode: Number(status), headers };
}
