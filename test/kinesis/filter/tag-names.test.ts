import test from 'ava';
import { TagNames } from '../../../daemon/kinesis/filter/tag-names.ts';

const NAMES = ['ContactId', 'AWS_KINESISVIDEO_ERROR_ID', 'AWS_KINESISVIDEO_ERROR_CODE', 'Größe'];

/** What is found at `text` among other bytes. */
function found(text: string): string | undefined {
  const bytes = Buffer.from(`ID${text}ID`);
  return new TagNames(NAMES).find(bytes, 2, bytes.length - 2);
}

test('each name is found by its bytes', (t) => {
  for (const name of NAMES) t.is(found(name), name);
});

test('similar names are not found', (t) => {
  for (const name of NAMES) {
    const ofOtherLength = [name.slice(1), name.slice(0, -1), `${name} `, `x${name}`];
    const asLong = [name.toLowerCase(), `?${name.slice(1)}`, `${name.slice(0, -1)}?`];
    for (const other of [...ofOtherLength, ...asLong]) t.is(found(other), undefined, other);
  }
  t.is(found(''), undefined);
});
