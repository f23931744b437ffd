import test from 'ava';
import fc from 'fast-check';
import { LOCKED_PARAMS } from '../../daemon/contract/deepgram-params.ts';
import { readAttributes, splitValues } from '../../trigger/attributes.ts';
import { TriggerFailure } from '../../trigger/failure.ts';
import { CONTACT_ID } from './invocation.ts';

const TAG = 'dg_amazonconnect';
const read = (attributes: unknown) => readAttributes(attributes, CONTACT_ID);
const dgParams = (attributes: unknown) => read(attributes).dgParams;
const refusal = (attributes: unknown) => ({ attributes, run: () => read(attributes) });

const SPLITS: [text: string, values: string[]][] = [
  [
    'someTag1 some\\ multi\\ word\\ tag some\\\\\\ Tag2 some\\Tag3 some\\\\\\Tag4 some\\\\\\\\Tag5',
    ['someTag1', 'some multi word tag', 'some\\ Tag2', 'some\\Tag3', 'some\\\\Tag4', 'some\\\\Tag5'],
  ],
  ['a  b', ['a', '', 'b']],
  ['', ['']],
  ['nova', ['nova']],
  ['a b', ['a', 'b']],
  ['a\\ b', ['a b']],
  ['a\\\\ b', ['a\\', 'b']],
  ['a\\n', ['a\\n']],
  ['a\\', ['a\\']],
  ['a\\\\', ['a\\']],
  ['a\\\\\\', ['a\\\\']],
  ['\\x\\ y', ['\\x y']],
  ['a\tb', ['a\tb']],
  ['\\😀 ü', ['\\😀', 'ü']],
];

for (const [text, values] of SPLITS) {
  test(`${JSON.stringify(text)} is split into ${JSON.stringify(values)}`, (t) => {
    t.deepEqual(splitValues(text), values);
  });
}

test('values that are escaped and joined with spaces are split into the same values', (t) => {
  const value = fc.string({
    unit: fc.oneof(fc.constantFrom('\\', ' ', 'a'), fc.string({ minLength: 1, maxLength: 1 })),
  });
  const escaped = (text: string) => text.replace(/[\\ ]/g, (char) => `\\${char}`);
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (values) => {
      t.deepEqual(splitValues(values.map(escaped).join(' ')), values);
    }),
  );
  t.pass();
});

test('dg_ attributes become parameters without their prefix; other attributes are ignored', (t) => {
  const attributes = {
    dg_model: 'nova',
    dg_callback: 'https://example.com/webhook/{contact-id}/stuff',
    dg_tag: 'someTag1 some\\ multi\\ word\\ tag some\\\\\\ Tag2 some\\Tag3 some\\\\\\Tag4 some\\\\\\\\Tag5',
    something: 'else',
    DG_language: 'de',
  };
  t.deepEqual(dgParams(attributes), {
    model: 'nova',
    callback: `https://example.com/webhook/${CONTACT_ID}/stuff`,
    tag: ['someTag1', 'some multi word tag', 'some\\ Tag2', 'some\\Tag3', 'some\\\\Tag4', 'some\\\\Tag5', TAG],
  });
});

for (const [what, attributes, params] of [
  ['no attributes at all', undefined, { tag: TAG }],
  ['attributes that are null', null, { tag: TAG }],
  ['an empty map', {}, { tag: TAG }],
  ['one tag', { dg_tag: 'mine' }, { tag: ['mine', TAG] }],
  ['an empty tag', { dg_tag: '' }, { tag: ['', TAG] }],
  ['the integration tag alone', { dg_tag: TAG }, { tag: TAG }],
  ['the integration tag among others', { dg_tag: `${TAG} mine` }, { tag: [TAG, 'mine'] }],
  ['a tag that is unset', { dg_tag: 'UNSET' }, { tag: TAG }],
  ['values that are unset in any case', { dg_a: 'unset', dg_b: ' UnSet\n', dg_c: 'UNSET' }, { tag: TAG }],
  ['unset among other values', { dg_a: 'x unset' }, { a: ['x', 'unset'], tag: TAG }],
  ['space around a value', { dg_model: ' \t nova \n' }, { model: 'nova', tag: TAG }],
  ['an escaped space at the end, which is trimmed first', { dg_a: 'x\\ ' }, { a: 'x\\', tag: TAG }],
  ['an empty callback, which is none', { dg_callback: ' ' }, { tag: TAG }],
  ['an empty value', { dg_model: '' }, { model: '', tag: TAG }],
  ['a value of spaces', { dg_model: '   ' }, { model: '', tag: TAG }],
  ['two spaces', { dg_keyterm: 'a  b' }, { keyterm: ['a', '', 'b'], tag: TAG }],
  ['an unknown parameter', { dg_some_day: 'x' }, { some_day: 'x', tag: TAG }],
  ['a name every object inherits', { dg_constructor: 'x' }, { constructor: 'x', tag: TAG }],
  ['a locked parameter that is unset', { dg_encoding: 'UNSET' }, { tag: TAG }],
  ['other attributes that are no texts', { count: 3 }, { tag: TAG }],
] as const) {
  test(`${what} gives ${JSON.stringify(params)}`, (t) => {
    t.deepEqual<unknown, unknown>(dgParams(attributes), params);
  });
}

test('every {contact-id} is replaced in the callback, and in no other parameter', (t) => {
  const params = dgParams({ dg_callback: 'https://h/{contact-id}?c={contact-id}', dg_extra: 'id:{contact-id}' });
  t.is(params['callback'], `https://h/${CONTACT_ID}?c=${CONTACT_ID}`);
  t.is(params['extra'], 'id:{contact-id}');
});

test('a contact id with special characters is inserted literally', (t) => {
  const { dgParams } = readAttributes({ dg_callback: 'https://h/{contact-id}' }, "$&$'{contact-id}");
  t.is(dgParams['callback'], "https://h/$&$'{contact-id}");
});

for (const [attributes, code, named] of [
  [{ dg_callback: 'https://one.example https://two.example' }, 'several-callbacks', 'dg_callback'],
  [{ dg_callback: 'https://one.example  x' }, 'several-callbacks', 'dg_callback'],
  ...Object.keys(LOCKED_PARAMS).map((name) => [{ [`dg_${name}`]: 'x' }, 'locked-parameter', `dg_${name}`] as const),
  [{ dg_channels: 'a b' }, 'locked-parameter', 'dg_channels'],
  [{ dg_model: 3 }, 'bad-attribute', 'dg_model'],
  [{ dg_model: null }, 'bad-attribute', 'dg_model'],
  [{ dg_model: ['nova'] }, 'bad-attribute', 'dg_model'],
  [{ dg_: 'x' }, 'bad-attribute', 'dg_'],
  [{ dg___proto__: 'x' }, 'bad-attribute', 'dg___proto__'],
  ['dg_model', 'bad-attributes', 'Attributes'],
  [[], 'bad-attributes', 'Attributes'],
] as const) {
  test(`${JSON.stringify(attributes)} is refused, and named`, (t) => {
    const error = t.throws(refusal(attributes).run, { name: 'TriggerFailure', code });
    t.true(error?.message.includes(named));
  });
}

test('an attribute called __proto__ is not a parameter and changes no prototype', (t) => {
  const params = dgParams(JSON.parse('{"__proto__": {"dg_model": "x"}, "dg_language": "de"}'));
  t.deepEqual(params, { language: 'de', tag: TAG });
  t.is(Object.getPrototypeOf(params), Object.prototype);
});

for (const [value, expected] of [
  ['true', true],
  ['True', false],
  [' true', false],
  ['false', false],
  [true, false],
  [undefined, false],
] as const) {
  test(`dgintegrator_enforcerealtime ${JSON.stringify(value)} means ${expected}`, (t) => {
    t.is(read({ dgintegrator_enforcerealtime: value }).enforceRealtime, expected);
  });
}

test('attributes with an empty value are named', (t) => {
  const { withEmptyValue } = read({ dg_a: 'x  y', dg_b: '', dg_c: 'x y', dg_d: 'unset' });
  t.deepEqual(withEmptyValue, ['dg_a', 'dg_b']);
});

test('the webhook is for the daemon, not for Deepgram; the contact id is filled in', (t) => {
  const dgintegrator_webhook = ' https://example.org/{contact-id}?again={contact-id} ';
  const { results, dgParams: params } = read({ dgintegrator_webhook });
  t.deepEqual(results, { webhook: `https://example.org/${CONTACT_ID}?again=${CONTACT_ID}` });
  t.deepEqual(params, { tag: TAG });
});

test('without the attribute the daemon decides where events go; UNSET means nowhere', (t) => {
  t.is(read({}).results, undefined);
  t.is(read({ dgintegrator_webhook: ' ' }).results, undefined);
  t.deepEqual(read({ dgintegrator_webhook: 'https://a.example', dg_callback: '' }).results, {
    webhook: 'https://a.example',
  });
  t.deepEqual(read({ dgintegrator_webhook: 'Unset', dg_callback: 'https://a.example' }).results, { webhook: null });
});

for (const [attributes, code] of [
  [{ dgintegrator_webhook: 'http://example.org' }, 'bad-webhook'],
  [{ dgintegrator_webhook: 'example.org' }, 'bad-webhook'],
  [{ dgintegrator_webhook: 'https://a.example https://b.example' }, 'bad-webhook'],
  [{ dgintegrator_webhook: 'https://a.example', dg_callback: 'https://b.example' }, 'two-destinations'],
] as const) {
  test(`${JSON.stringify(attributes)} is refused with ${code}`, (t) => {
    const error = t.throws(refusal(attributes).run, { instanceOf: TriggerFailure });
    t.is(error?.code, code);
    t.false(error?.message.includes('example'));
  });
}

test('a callback that is UNSET leaves the webhook', (t) => {
  const { results } = read({ dgintegrator_webhook: 'https://a.example', dg_callback: 'UNSET' });
  t.deepEqual(results, { webhook: 'https://a.example' });
});
