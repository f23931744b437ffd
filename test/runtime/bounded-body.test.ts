import { Readable } from 'node:stream';
import test from 'ava';
import { BodyCutOff, BodyTooLarge, readBeginning, readBody } from '../../daemon/runtime/bounded-body.ts';

const PARTS = [Buffer.from('transcripts '), Buffer.from('of calls')];
const TEXT = 'transcripts of calls';

/** A body that breaks after its parts. */
async function* broken(): AsyncGenerator<Buffer> {
  yield* PARTS;
  throw new Error('ECONNRESET');
}

test('a body up to the limit is complete', async (t) => {
  t.is(String(await readBody(Readable.from(PARTS), TEXT.length)), TEXT);
  t.is(String(await readBody(Readable.from([]), 0)), '');
});

test('a body of one byte more is too large, and is read no further', async (t) => {
  const body = Readable.from(PARTS);
  await t.throwsAsync(readBody(body, TEXT.length - 1), {
    instanceOf: BodyTooLarge,
    message: 'The body is larger than 19 bytes',
  });
  t.true(body.destroyed);
});

test('a body that breaks is cut off, and the error says why', async (t) => {
  const error = await t.throwsAsync(readBody(broken(), 100), { instanceOf: BodyCutOff });
  t.is(error.message, 'The connection ended within the body: ECONNRESET');
  t.is((error.cause as Error).message, 'ECONNRESET');
});

test('the beginning of a body is what came of it, up to the limit', async (t) => {
  t.is(String(await readBeginning(Readable.from(PARTS), 11)), 'transcripts');
  t.is(String(await readBeginning(Readable.from(PARTS), 100)), TEXT);
  t.is(String(await readBeginning(broken(), 100)), TEXT);
});
