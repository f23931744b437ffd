import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { stereo } from '../simulators/deepgram/call-audio.ts';
import { Stage } from './stage.ts';

const SPEED = 300;
/** Four walls lie well within, for a start that took long is made up for faster than in real time. */
const MINUTES = 210;
/** How often the end of the call is looked for. */
const LAST_LOOKS = 3;
/** The stream keeps the whole call: a slow machine may fall behind, and what is tried here are the walls. */
const ALL_OF_IT_MS = 240_000;
const MINUTE_SAMPLES = 60 * 8000;
/** What takes so many minutes of the call takes so many milliseconds here. */
const played = (minutes: number) => String((minutes * 60_000) / SPEED);

for (const [name, rotateAfter, walls, connections] of [
  ['rotated before each of them', played(40), 'kinesis.rotated', 2],
  ['running into each of them', '2700000', 'kinesis.resumed', 1],
] as const) {
  // One after the other: so much audio in less than a minute may keep two cores busy.
  test.serial(
    `a call of three hours and a half across 45-minute walls, ${name}: 0 ms lost, 0 ms doubled`,
    async (t) => {
      t.timeout(240_000);
      const recordings = await mkdtemp(join(tmpdir(), 'integratord-recordings-'));
      const stage = await Stage.open({
        env: { ROTATE_AFTER_MS: rotateAfter, LOG_LEVEL: 'debug' },
        kinesisArgs: ['--max-connection-ms', played(45)],
        deepgramArgs: ['--recordings', recordings],
      });
      t.teardown(async () => {
        await stage.close();
        await rm(recordings, { recursive: true });
      });
      const [customer, agent] = [distinctSamples(MINUTE_SAMPLES, 1), distinctSamples(MINUTE_SAMPLES, 2)];
      const voices = { customer: bytesOf(customer), agent: bytesOf(agent), times: MINUTES };
      const request = await stage.call({ ...voices, speed: SPEED, options: { contactTag: 'before' } }, 'long', {
        retentionMs: ALL_OF_IT_MS,
      });
      t.is(
        (await stage.start({ ...request, dgParams: { ...request.dgParams, callback: 'http://127.0.0.1:9/' } })).status,
        200,
      );
      const ended = await stage.ended(request.contactId);
      t.like(ended, { outcome: 'completed', audioMs: MINUTES * 60_000, holeMs: 0, reconnects: 0, replayedMs: 0 });
      const [received, ...others] = await stage.closed(request.contactId);
      t.is(others.length, 0);
      const minute = stereo(customer, agent);
      const expected = createHash('sha256');
      for (let i = 0; i < MINUTES; i++) expected.update(minute);
      t.is(received?.sha256, expected.digest('hex'));
      const { counts, connections: open } = await stage.kinesis.requests();
      t.is(open['long']?.max, connections);
      const crossed = stage.daemon.lines.filter(({ event }) => event === walls).length;
      t.true(crossed >= 4, 'four walls and more');
      t.true(counts.GetMedia <= crossed + 1 + LAST_LOOKS, 'and no connection beside those');
    },
  );
}
