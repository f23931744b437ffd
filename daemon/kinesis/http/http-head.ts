import { BadHttp } from './http-body.ts';

/** More than any service sends; Node's limit too. */
const MAX_HEAD_BYTES = 16 * 1024;
const END_OF_HEAD = '\r\n\r\n';

/** Status and headers of an HTTP/1.1 response. */
export interface Head {
  readonly statusCode: number;
  /** By lower-case name; the values of a repeated name are joined by commas (RFC 9110, 5.3). */
  readonly headers: Record<string, string>;
}

/** Reads the head of a response as its bytes arrive. */
export class HeadReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** Returns the head and the bytes after it, once it is complete; undefined before that. Throws BadHttp. */
  take(bytes: Uint8Array): { head: Head; rest: Buffer } | undefined {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const end = this.#bytes.indexOf(END_OF_HEAD);
      if ((end < 0 ? this.#bytes.length : end) > MAX_HEAD_BYTES) {
        throw new BadHttp(`a response head of more than ${MAX_HEAD_BYTES} bytes`);
      }
      if (end < 0) return undefined;
      const head = parseHead(this.#bytes.toString('latin1', 0, end));
      this.#bytes = this.#bytes.subarray(end + END_OF_HEAD.length);
      // 1xx responses precede the final one (RFC 9110, 15.2).
      if (head.statusCode >= 200) return { head, rest: this.#bytes };
    }
  }
}

function parseHead(text: string): Head {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) throw new BadHttp('the status line is missing');
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
