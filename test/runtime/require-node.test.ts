import test from 'ava';
import { nodeFault } from '../../daemon/runtime/require-node.ts';

test('an older Node learns what the programs need', (t) => {
  t.regex(nodeFault('22.20.0') ?? '', /^Node 22\.20\.0 is too old: this program needs Node 24, .*npm ci.*npm run/);
  t.is(nodeFault('24.0.0'), undefined);
  t.is(nodeFault('26.1.0'), undefined);
});
