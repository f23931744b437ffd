import test from 'ava';
import { schema } from 'ebml';
import { EBML_HEADER, EBML_VERSION, ELEMENTS, ID, kindOf } from '../../daemon/matroska/element-ids.ts';

const MASTER = 'm';
/** Masters that are taken as a whole. */
const WHOLE = ['TrackEntry', 'SimpleTag'];

test('every element has the id, name and level of ebml’s schema', (t) => {
  for (const [id, { name, level }] of ELEMENTS) t.like(schema.get(id), { name, level });
  for (const [name, id] of Object.entries(ID)) t.is(schema.get(id)?.name, name);
});

test('only masters are entered, and only two of them are taken as a whole', (t) => {
  for (const [id, { name, treatment }] of ELEMENTS) {
    const isMaster = schema.get(id)?.type === MASTER;
    if (treatment === 'enter') t.true(isMaster, name);
    if (treatment === 'take') t.is(isMaster, WHOLE.includes(name), name);
  }
});

test('everything that ebml’s schema allows at the top and in a Segment is known', (t) => {
  /** Of signatures, which Matroska never adopted. */
  const isSignature = (name: string) => name.startsWith('Signature');
  for (const [id, { name, level }] of schema) {
    if ((level === 0 || level === 1) && !isSignature(name)) t.is(kindOf(id)?.name, name);
  }
});

test('the bytes of a header’s beginning are the ids of EBML and EBMLVersion', (t) => {
  t.is(Buffer.from(EBML_HEADER).readUInt32BE(), ID.EBML);
  t.is(kindOf(Buffer.from(EBML_VERSION).readUInt16BE())?.name, 'EBMLVersion');
});
