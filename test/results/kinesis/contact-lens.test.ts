import { randomUUID } from 'node:crypto';
import test from 'ava';
import { connectInstance, segmentStreamRecord } from '../../../daemon/results/kinesis/contact-lens.ts';
import { MAX_RECORD_BYTES, recordBytes } from '../../../daemon/results/kinesis/record-bytes.ts';
import { ended, final, gap, INSTANCE_ARN, numbered, resumed, started } from '../events-of-a-call.ts';
import { ConcatenatingConsumer, UtteranceConsumer } from './consumers.ts';

const sessionId = randomUUID();
const instance = { accountId: '123456789012', instanceId: '12345678-1234-1234-1234-123456789012' };
const CALL = numbered(
  [
    started({ language: 'de' }),
    final('AGENT', 1000.4, 'hello how can I help'),
    final('CUSTOMER', 3000, 'my order is late'),
    gap(5000, 6000),
    resumed(4200),
    final('CUSTOMER', 6200, ' '),
    ended(),
  ],
  { sessionId },
);

const records = CALL.map((event) => segmentStreamRecord(event, instance, 'de'));

test('an event becomes a record of the segment stream', (t) => {
  t.deepEqual(
    records.map(({ EventType }) => EventType),
    ['STARTED', 'SEGMENTS', 'SEGMENTS', 'SEGMENTS', 'SEGMENTS', 'SEGMENTS', 'COMPLETED'],
  );
  t.deepEqual(records[1], {
    Version: '1.0.0',
    Channel: 'VOICE',
    AccountId: '123456789012',
    InstanceId: '12345678-1234-1234-1234-123456789012',
    ContactId: 'contact-1',
    LanguageCode: 'de',
    EventType: 'SEGMENTS',
    Segments: [
      {
        Utterance: {
          Id: `${sessionId}_1_2_utterance`,
          TranscriptId: `${sessionId}_1_2`,
          ParticipantId: 'AGENT',
          ParticipantRole: 'AGENT',
          PartialContent: 'hello how can I help',
          BeginOffsetMillis: 1000,
          EndOffsetMillis: 2500,
        },
      },
      {
        Transcript: {
          Id: `${sessionId}_1_2`,
          ParticipantId: 'AGENT',
          ParticipantRole: 'AGENT',
          Content: 'hello how can I help',
          BeginOffsetMillis: 1000,
          EndOffsetMillis: 2500,
        },
      },
    ],
    Integratord: CALL[1] ?? {},
  });
});

test('a gap, a resumed session and a final without text have no segments, but our event', (t) => {
  for (const at of [3, 4, 5]) {
    t.deepEqual(records[at]?.Segments, []);
    t.is(records[at]?.Integratord, CALL[at]);
  }
});

test('a failed session ends with FAILED', (t) => {
  const [event] = numbered([ended('failed')], { sessionId });
  t.is(event && segmentStreamRecord(event, instance, undefined).EventType, 'FAILED');
});

test('without a language the code is that of English', (t) => {
  t.is(CALL[0] && segmentStreamRecord(CALL[0], instance, undefined).LanguageCode, 'en-US');
});

test('a consumer that concatenates Utterances until their Transcript comes reads the call', (t) => {
  const consumer = new ConcatenatingConsumer();
  // Kinesis delivers at least once.
  for (const record of [...records, ...records]) consumer.read(JSON.stringify(record));
  t.deepEqual(consumer.lines, [
    { role: 'AGENT', text: 'hello how can I help', startMs: 1000 },
    { role: 'CUSTOMER', text: 'my order is late', startMs: 3000 },
  ]);
  t.deepEqual(consumer.conflicts, []);
  t.is(consumer.unfinished, 0);
});

test('a consumer that reads Utterances only reads the same', (t) => {
  const consumer = new UtteranceConsumer();
  for (const record of records) consumer.read(JSON.stringify(record));
  t.deepEqual(
    consumer.lines.map(({ text }) => text),
    ['hello how can I help', 'my order is late'],
  );
});

test('account and instance come from the ARN', (t) => {
  t.deepEqual(connectInstance(INSTANCE_ARN), instance);
  t.deepEqual(connectInstance(INSTANCE_ARN.replace('aws', 'aws-us-gov'))?.accountId, '123456789012');
  for (const arn of [undefined, '', 'i-1', 'arn:aws:connect:us-east-1:1:instance/1', `${INSTANCE_ARN}/queue/1`]) {
    t.is(connectInstance(arn), undefined, String(arn));
  }
});

test('a record that would be too large drops its duplicates, and says so', (t) => {
  const content = final('AGENT', 0, 'word');
  const [large] = numbered([{ ...content, deepgram: { padding: 'x'.repeat(MAX_RECORD_BYTES) } }], { sessionId });
  const data = large && recordBytes(large, instance, 'en');
  const { Integratord: ours, Segments } = JSON.parse(String(data));
  t.false('deepgram' in ours);
  t.deepEqual(ours.omitted, ['deepgram']);
  t.is(ours.words.length, 1);
  t.is(Segments.length, 2);

  const words = Array.from({ length: 20_000 }, () => content.words[0] as (typeof content.words)[number]);
  const [larger] = numbered([{ ...content, words }], { sessionId });
  const { Integratord: rest } = JSON.parse(String(larger && recordBytes(larger, instance, 'en')));
  t.deepEqual([rest.omitted, rest.words, rest.text], [['deepgram', 'words'], undefined, 'word']);

  const [tooLarge] = numbered([{ ...content, text: 'x'.repeat(MAX_RECORD_BYTES / 3) }], { sessionId });
  t.is(tooLarge && recordBytes(tooLarge, instance, 'en'), undefined);
});

test('the limit of a record includes its partition key', (t) => {
  const [event] = numbered([started()], { sessionId, contactId: 'é'.repeat(10) });
  const bytes = event ? (recordBytes(event, instance, 'en')?.length ?? 0) : 0;
  t.is(event && recordBytes(event, instance, 'en', bytes + 20)?.length, bytes);
  t.is(event && recordBytes(event, instance, 'en', bytes + 19), undefined);
});
