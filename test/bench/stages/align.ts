/** The align stage: demuxer events in, 2-channel PCM of one contact out. */
import { crc32 } from 'node:zlib';
import { MESSAGE_MS } from '../../../daemon/deepgram/replay-window.ts';
import { ContactFilter } from '../../../daemon/kinesis/filter/contact-filter.ts';
import { contactIdOf } from '../../load/identity.ts';
import { BLOCK_MS, STEREO_BYTES_PER_MS } from '../../load/sound.ts';
import { pcmOf } from '../../support/audio-runs.ts';
import { BufferedAligner } from '../../support/buffered-aligner.ts';
import { FRAGMENT_MS } from '../material.ts';
import { Merger } from '../naive/merger.ts';
import { FRAGMENTS, feedOf, LIVE_FEED } from './feeds.ts';
import { type Finding, findingsIn } from './findings.ts';
import type { Measured, StageTask } from './measured.ts';
import { cpuPerPass } from './stopwatch.ts';

/** The default of ALIGN_WAIT_MS. */
const ALIGN_WAIT_MS = 200;
const PASS_MS = FRAGMENTS * FRAGMENT_MS;

/** Collects a mixer's output. */
class Ear {
  pcmBytes = 0;
  crc = 0;
  checks = true;

  readonly hear = (pcm: Uint8Array): void => {
    this.pcmBytes += pcm.length;
    if (this.checks) this.crc = crc32(pcm, this.crc);
  };
}

/** Mixes a call, chunk by chunk. The feed repeats: `shiftMs` is to be added to its times. */
type Mix = (chunk: readonly Finding[], shiftMs: number, nowMs: number) => void;

const MIXERS: Readonly<Record<string, (call: number, ear: Ear) => Mix>> = {
  integratord(call, { hear }) {
    const contact = { contactId: contactIdOf(call), streamArn: 'arn', start: { fragmentNumber: '0' } };
    const filter = new ContactFilter(contact, (why, detail) => {
      throw new Error(`audio was withheld: ${why} ${detail}`);
    });
    const aligner = new BufferedAligner(ALIGN_WAIT_MS);
    return (chunk, shiftMs, nowMs) => {
      filter.nowMs = nowMs;
      for (const finding of chunk) tell(filter, finding, shiftMs);
      for (const block of filter.take()) aligner.add(block);
      for (let piece = aligner.take(MESSAGE_MS); piece; piece = aligner.take(MESSAGE_MS)) {
        hear(pcmOf(piece.frames));
      }
    };
  },
  'naive merging'(call, { hear }) {
    const merger = new Merger(contactIdOf(call), hear);
    return (chunk) => {
      for (const finding of chunk) {
        if (finding.kind === 'block') merger.block(finding.track, finding.payload);
        else if (finding.kind === 'tag') merger.tag(finding.name, finding.value);
        else if (finding.kind === 'track') merger.track(finding.number, finding.name);
      }
    };
  },
};

function tell(filter: ContactFilter, finding: Finding, shiftMs: number): void {
  if (finding.kind === 'block') filter.block(finding.track, finding.timeMs + shiftMs, finding.payload);
  else if (finding.kind === 'tag') filter.tag(finding.name, finding.value);
  else if (finding.kind === 'track') filter.track(finding);
  else if (finding.kind === 'fragment') filter.fragment();
  else if (finding.kind === 'segmentUid') filter.segmentUid(finding.uid);
  else if (finding.kind === 'cluster') filter.cluster();
  else filter.clusterEnd();
}

export async function measureAlign({ contender, calls, cpuMs }: StageTask): Promise<Measured> {
  const feed = feedOf(LIVE_FEED, calls);
  const bodies = feed.bodies.map(findingsIn);
  const ears = bodies.map(() => new Ear());
  const mixers = ears.map((ear, call) => (MIXERS[contender] as (call: number, ear: Ear) => Mix)(call, ear));
  let passes = 0;
  const pass = async () => {
    const shiftMs = passes++ * PASS_MS;
    for (let round = 0; round < (bodies[0]?.length ?? 0); round++) {
      bodies.forEach((body, call) => {
        mixers[call]?.(body[round] as Finding[], shiftMs, shiftMs + round * BLOCK_MS);
      });
    }
  };
  await pass();
  const checksum = ears.reduce((sum, { crc }) => crc32(String(crc), sum), 0);
  for (const ear of ears) ear.checks = false;
  const cpuMsPerPass = await cpuPerPass(pass, cpuMs);
  const expected = passes * PASS_MS * STEREO_BYTES_PER_MS;
  for (const { pcmBytes } of ears) {
    if (pcmBytes !== expected)
      throw new Error(`${contender} produced ${pcmBytes} bytes of a call instead of ${expected}`);
  }
  return { cpuMsPerUnit: cpuMsPerPass / feed.units, checksum };
}
