import type { StartRequest } from '../contract/start-request.ts';

/**
 * Equal for start requests that ask for the same session: the same contact, stream, parameters and destination (a
 * parameter, `callback`, or a webhook). The start fragment does not count, because the running session continues with
 * that stream (trigger/README.md, "Integrator").
 */
export function sessionKey({ contactId, kvsStream, dgParams, results }: StartRequest): string {
  const params = Object.entries(dgParams)
    .map(([name, value]) => [name, ...[value].flat()])
    .sort(([one = ''], [other = '']) => (one < other ? -1 : 1));
  return JSON.stringify([contactId, kvsStream.arn, params, results?.webhook]);
}
