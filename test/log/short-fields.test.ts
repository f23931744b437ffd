import test from 'ava';
import { shortFields } from '../../daemon/log/short-fields.ts';

test('fields of usual length are passed on as they are', (t) => {
  const fields = { event: 'session.started', params: ['model', 'keyterm'], callMs: 1000, contactId: undefined };
  t.is(shortFields(fields), fields);
});

test('a long list has a count for its rest, a long text an ellipsis, and numbers three decimals', (t) => {
  const params = Array.from({ length: 200 }, (_, nth) => `parameter-${nth}`.padEnd(100, '-'));
  const short = shortFields({ params, error: 'x'.repeat(5000), lagMs: 0.123_45 });
  t.deepEqual(short['params'], [...params.slice(0, 20), 'and 180 more']);
  t.is(short['error'], `${'x'.repeat(1000)}…`);
  t.is(short['lagMs'], 0.123);
  t.true(JSON.stringify(short).length < 4096);
});
