import test from 'ava';
import { isoTimestamp } from '../../daemon/contract/iso-timestamp.ts';

const ISO = '2026-11-28T17:57:52.123Z';

test('a time in ISO 8601, as epoch milliseconds or as their digits is the same time', (t) => {
  for (const value of [ISO, Date.parse(ISO), String(Date.parse(ISO))]) t.is(isoTimestamp(value), ISO);
});

test('anything else is not a time', (t) => {
  for (const value of ['', 'soon', '0', -1, NaN, null, undefined, {}, '9'.repeat(30)])
    t.is(isoTimestamp(value), undefined);
});
