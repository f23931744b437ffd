import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

const NAMESPACE = 'http://autoscaling.amazonaws.com/doc/2011-01-01/';

/** Content of an XML element: text, elements by name, or a list of `member` elements. */
export type Content = string | number | boolean | readonly Content[] | { readonly [name: string]: Content };

/** Sends a response of AWS's query protocol. */
export function sendResult(response: ServerResponse, action: string, result: Content): void {
  const requestId = randomUUID();
  const content = { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } };
  send(response, 200, requestId, `${action}Response`, content);
}

/** Sends an error of AWS's query protocol. */
export function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  const requestId = randomUUID();
  const error = { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message };
  send(response, status, requestId, 'ErrorResponse', { Error: error, RequestId: requestId });
}

function send(response: ServerResponse, status: number, requestId: string, root: string, content: Content): void {
  const body = `<${root} xmlns="${NAMESPACE}">${xml(content)}</${root}>`;
  response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }).end(body);
}

function xml(content: Content): string {
  if (Array.isArray(content)) return content.map((member) => `<member>${xml(member)}</member>`).join('');
  if (typeof content !== 'object') return String(content).replace(/[<>&"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return Object.entries(content)
    .map(([name, inner]) => `<${name}>${xml(inner)}</${name}>`)
    .join('');
}
