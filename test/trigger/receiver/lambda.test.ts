import test from 'ava';
import { requestOf } from '../../../trigger/receiver/lambda.ts';

test('a function URL passes the body on byte for byte', (t) => {
  const body = '{"text":"Müller"}';
  const event = { rawPath: '/', headers: { 'webhook-id': '1' }, requestContext: { http: { method: 'POST' } } };
  const plain = requestOf({ ...event, body, isBase64Encoded: false });
  const encoded = requestOf({ ...event, body: Buffer.from(body).toString('base64'), isBase64Encoded: true });
  t.deepEqual(plain, encoded);
  t.is(Buffer.from(plain.body).toString(), body);
  t.deepEqual([plain.method, plain.path, plain.headers['webhook-id']], ['POST', '/', '1']);
  t.is(requestOf({ rawPath: '/calls/1', requestContext: { http: { method: 'GET' } } }).body.length, 0);
});
