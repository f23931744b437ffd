import { randomUUID } from 'node:crypto';
import test from 'ava';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { channel, Stage } from './stage.ts';

// Facts about Kinesis Video that are not proven (daemon/kinesis/README.md): the simulator has a switch for each reading,
// and what is right must come out under both.

const SECOND = 8000;
const SPEED = 10;

/** Stages for several tests each. */
const STAGES = {
  default: Stage.open(),
  inclusive: Stage.open({ kinesisArgs: ['--inclusive'] }),
  patient: Stage.open({ env: { CALL_END_GRACE_MS: '3000' } }),
};
test.after.always(async () => {
  for (const stage of Object.values(STAGES)) await (await stage).close();
});

for (const [reading, opened] of [
  ['after that fragment', STAGES.default],
  ['with that fragment itself', STAGES.inclusive],
] as const) {
  test(`AfterFragmentNumber begins ${reading}: every sample arrives once, whatever StartFragmentNumber names`, async (t) => {
    const stage = await opened;
    const samples = distinctSamples(4 * SECOND, 1);
    for (const startNumber of ['first', 'before'] as const) {
      const request = await stage.call({ customer: bytesOf(samples), speed: SPEED, options: { startNumber } });
      const { ended, audio } = await stage.transcribe(request);
      t.like(ended, { outcome: 'completed', gapMs: 0 });
      t.is(difference(channel(audio, 0), samples), 'the same', startNumber);
    }
  });
}

for (const [reading, sentAgain] of [
  ['never', undefined],
  ['when it reconnects', { after: 5, fragments: 4 }],
] as const) {
  test(`the producer sends the last seconds again ${reading}: every sample arrives once`, async (t) => {
    const stage = await STAGES.default;
    const samples = distinctSamples(8 * SECOND, 1);
    const options = { oddBlock: false, ...(sentAgain && { sentAgain }) };
    const { ended, audio } = await stage.transcribe(
      await stage.call({ customer: bytesOf(samples), speed: SPEED, options }),
    );
    t.like(ended, { outcome: 'completed', gapMs: 0 });
    t.is(difference(channel(audio, 0), samples), 'the same');
  });
}

for (const [reading, segmentUid, event] of [
  ['another SegmentUID: the flow paused streaming', '0f'.repeat(16), 'audio.not-streamed'],
  ['the same SegmentUID: audio is missing', undefined, 'audio.gap'],
] as const) {
  test(`audio of the contact that follows 3 s later has ${reading}`, async (t) => {
    const stage = await STAGES.patient;
    const samples = distinctSamples(2 * SECOND, 1);
    const stream = `stream-${randomUUID()}`;
    const startMs = Date.now() - 60_000;
    const options = { oddBlock: false };
    const request = await stage.call({ customer: bytesOf(samples), speed: SPEED, startMs, options }, stream);
    t.is((await stage.start(request)).status, 200);
    await stage.kinesisHas(request.contactId, 2000);
    await stage.kinesis.startCall(stream, {
      contactId: request.contactId,
      customer: bytesOf(samples),
      speed: SPEED,
      startMs: startMs + 5000,
      options: { ...options, ...(segmentUid && { segmentUid }) },
    });
    const ended = await stage.ended(request.contactId);
    const gapMs = event === 'audio.gap' ? 3000 : 0;
    t.like(ended, { outcome: 'completed', audioMs: 7000, gapMs });
    const lines = stage.daemon.lines.filter(({ contactId }) => contactId === request.contactId);
    const events = lines.map((line) => line['event']);
    t.true(events.includes(event), String(events));
  });
}
