import test from 'ava';
import { rounded, withRoundedFields } from '../../daemon/runtime/rounded.ts';

test('numbers in JSON have at most 3 decimals, at any depth', (t) => {
  const value = { lagMs: 12.345_678_9, list: [1 / 3, 2], text: '0.123456', none: null, deep: { ms: -0.000_4 } };
  t.is(
    JSON.stringify(value, rounded),
    '{"lagMs":12.346,"list":[0.333,2],"text":"0.123456","none":null,"deep":{"ms":0}}',
  );
});

test('fields that need no rounding are returned as they are', (t) => {
  const fields = { gapMs: 20, share: 0.5, error: 'x', nothing: undefined, nan: Number.NaN };
  t.is(withRoundedFields(fields), fields);
  t.deepEqual(withRoundedFields({ lagMs: 0.123_45, name: 'x' }), { lagMs: 0.123, name: 'x' });
});
