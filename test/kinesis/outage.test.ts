import test from 'ava';
import { Outage } from '../../daemon/kinesis/outage.ts';
import { type KinesisRefused, kinesisRefusal, refusalInStream } from '../../daemon/kinesis/refusal.ts';

const ARN = 'arn:of-the-stream';
const MINUTE_MS = 60_000;

/** When a refusal that repeats every second ends the call; undefined: not within ten minutes. */
function endsAfterMs(refusal: (atMs: number) => unknown): number | undefined {
  const outage = new Outage();
  for (let nowMs = 0; nowMs <= 10 * MINUTE_MS; nowMs += 1000) if (outage.note(refusal(nowMs), nowMs)) return nowMs;
  return undefined;
}

const byAws = (name: string, httpStatusCode: number) =>
  kinesisRefusal(Object.assign(new Error('refused'), { name, $metadata: { httpStatusCode } }), ARN);
const inStream = (id: string, text = 'text') => refusalInStream(id, text, ARN);

const RETRIED: Readonly<Record<string, KinesisRefused>> = {
  ExpiredTokenException: byAws('ExpiredTokenException', 403),
  ExpiredToken: byAws('ExpiredToken', 403),
  InvalidSignatureException: byAws('InvalidSignatureException', 403),
  RequestTimeTooSkewed: byAws('RequestTimeTooSkewed', 403),
  UnrecognizedClientException: byAws('UnrecognizedClientException', 400),
  RequestExpired: byAws('RequestExpired', 400),
  TooManyRequestsException: byAws('TooManyRequestsException', 429),
  'HTTP 408': byAws('UnknownError', 408),
  "a proxy's 403 with HTML": byAws('SyntaxError', 403),
  "a proxy's 404 with HTML": byAws('SyntaxError', 404),
  'a garbled status line': kinesisRefusal(new Error('HTP/1.1 20O'), ARN),
  InvalidArgumentException: byAws('InvalidArgumentException', 400),
  'an unknown error': byAws('SomethingNew', 418),
  'in the stream: 3002': inStream('3002'),
  'in the stream: 5000': inStream('5000'),
  'in the stream: 4503, the key is unavailable': inStream('4503'),
  'in the stream: an unknown id': inStream('9999'),
  'in the stream: 4000': inStream('4000'),
  'in the stream: 3000': inStream('3000', 'FRAGMENT_NOT_FOUND'),
};
for (const [what, refusal] of Object.entries(RETRIED)) {
  test(`${what} ends a call only after five minutes`, (t) => {
    t.is(
      endsAfterMs(() => refusal),
      5 * MINUTE_MS + 1000,
    );
  });
}

for (const [what, refusal] of [
  ['NotAuthorizedException', byAws('NotAuthorizedException', 401)],
  ['AccessDeniedException', byAws('AccessDeniedException', 403)],
  ['in the stream: 4500, access to the key denied', inStream('4500')],
] as const) {
  test(`${what} ends a call after a minute`, (t) => {
    t.is(
      endsAfterMs(() => refusal),
      MINUTE_MS + 1000,
    );
    const sometimes = (atMs: number) => (atMs % 30_000 === 0 ? inStream('5000') : refusal);
    t.is(endsAfterMs(sometimes), 5 * MINUTE_MS + 1000, 'only without another refusal in between');
  });
}

for (const [what, refusal] of [
  ['ResourceNotFoundException', byAws('ResourceNotFoundException', 404)],
  ...['4501', '4502', '4504', '4505', '4506'].map((id) => [`in the stream: ${id}`, inStream(id)] as const),
  ['an error of our own', new TypeError('a bug')],
] as const) {
  test(`${what} ends a call at once`, (t) => {
    t.is(
      endsAfterMs(() => refusal),
      0,
    );
  });
}

test('after an outage has ended, the next refusal begins another one', (t) => {
  const outage = new Outage();
  t.false(outage.note(inStream('5000'), 0));
  t.false(outage.note(inStream('5000'), 5 * MINUTE_MS));
  t.is(outage.lengthMs(5 * MINUTE_MS), 5 * MINUTE_MS);
  outage.end();
  t.is(outage.lengthMs(6 * MINUTE_MS), 0);
  t.false(outage.note(inStream('5000'), 6 * MINUTE_MS));
  t.is(outage.refusals, 1);
});

test('3000, 4000 and the text FRAGMENT_NOT_FOUND mean that the fragment is gone', (t) => {
  for (const error of [inStream('3000'), inStream('4000'), inStream('1', 'FRAGMENT_NOT_FOUND')]) {
    t.true(error.isFragmentGone);
  }
  t.false(inStream('3002').isFragmentGone);
  t.true(inStream('5000', 'INTERNAL_ERROR').message.includes('5000 INTERNAL_ERROR'));
});
