import test from 'ava';
import { traceIdOf, traceparentFrom } from '../../daemon/contract/traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const NEW = /^(?!0{32})[0-9a-f]{32}$/;

test('a traceparent names the trace, also in a later version', (t) => {
  for (const header of [
    `00-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-00`,
    `cc-${TRACE}-${PARENT}-01-what-is-new`,
  ]) {
    t.is(traceIdOf(header), TRACE, header);
  }
});

test('an invalid traceparent is ignored: the trace is a new one', (t) => {
  const malformed = [
    ...[undefined, '', 'planted', ['a', 'b'], `00-${TRACE}-${PARENT}`, `00-${TRACE}-${PARENT}-0`],
    ...[`ff-${TRACE}-${PARENT}-01`, `00-${'0'.repeat(32)}-${PARENT}-01`, `00-${TRACE}-${'0'.repeat(16)}-01`],
    ...[`00-${TRACE.toUpperCase()}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01-more`, ` 00-${TRACE}-${PARENT}-01`],
    ...[`00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01\n`],
  ];
  for (const header of malformed) {
    t.regex(traceIdOf(header), NEW, String(header));
    t.not(traceIdOf(header), TRACE, String(header));
  }
});

test("X-Ray's trace becomes the trigger's, under Lambda's segment", (t) => {
  const x = 'Root=1-5759e988-bd862e3fe1be46a994272793';
  const traceId = '5759e988bd862e3fe1be46a994272793';
  t.deepEqual(traceparentFrom(`${x};Parent=53995c3f42cd8ad8;Sampled=1`), {
    traceId,
    traceparent: `00-${traceId}-53995c3f42cd8ad8-01`,
  });
  const { traceparent } = traceparentFrom(
    `Self=1-67891234-12456789abcdef012345678;${x};Sampled=0;Lineage=1:a87bd80c:0`,
  );
  t.regex(traceparent, new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  t.is(traceIdOf(traceparent), traceId);
});

test("without a valid X-Ray trace, the trigger's trace is a new one that is not sampled", (t) => {
  for (const xRay of [undefined, '', 'Root=1-xyz;Sampled=1', `Root=1-${'0'.repeat(8)}-${'0'.repeat(24)};Sampled=1`]) {
    const { traceId, traceparent } = traceparentFrom(xRay);
    t.regex(traceId, NEW);
    t.regex(traceparent, new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    t.is(traceIdOf(traceparent), traceId);
  }
  t.not(traceparentFrom(undefined).traceId, traceparentFrom(undefined).traceId);
});
