import { crc32 } from 'node:zlib';
import { Demuxer, type DemuxerEvents } from '../../daemon/matroska/demuxer.ts';
import { cut } from './chunks.ts';
import type { Input } from './inputs.ts';
import { PADDING, SOUND } from './sound.ts';

/** An element has an id and a size of at least a byte each, so every event costs at least this. */
const BYTES_PER_EVENT = 2;

/** The events of a demuxer, and how many bytes it handed out. */
class Recorder implements DemuxerEvents {
  readonly events: string[] = [];
  handedOutBytes = 0;

  fragment(): void {
    this.events.push('fragment');
  }
  segmentUid(uid: string): void {
    this.handedOutBytes += uid.length / 2;
    this.events.push(`segment ${uid}`);
  }
  track({ number, name }: { number: number; name: string }): void {
    this.handedOutBytes += name.length;
    this.events.push(`track ${number} ${name}`);
  }
  tagName(bytes: Buffer, from: number, to: number): string {
    return bytes.toString('utf8', from, to);
  }
  tag(name: string, value: string): void {
    this.handedOutBytes += name.length + value.length;
    this.events.push(`tag ${name}=${value}`);
  }
  block(track: number, timeMs: number, bytes: Uint8Array): void {
    this.handedOutBytes += bytes.length;
    this.events.push(`block ${track} @${timeMs} ${bytes.length} ${crc32(bytes)}`);
  }
  cluster(): void {
    this.events.push('cluster');
  }
  skipped(): void {
    this.events.push('skipped');
  }
  passedOver(): void {}

  skippedUnseen(): void {
    this.events.push('skipped unseen');
  }
  clusterEnd(): void {
    this.events.push('cluster ends');
  }
  corrupt(reason: string): void {
    this.events.push(`corrupt: ${reason}`);
  }
}

const expected = recorded([SOUND]).events;

/**
 * The demuxer alone: it does not throw, hands out no more than it got, finds the same however the bytes are cut, and
 * resynchronizes within the padding.
 */
export function demuxerHolds({ bytes, sizes }: Input): void {
  const hostile = recorded([...cut(bytes, sizes)]);
  if (hostile.events.length > bytes.length / BYTES_PER_EVENT + 1) {
    throw new Error(`${hostile.events.length} events out of ${bytes.length} bytes`);
  }
  if (hostile.handedOutBytes > bytes.length) {
    throw new Error(`${hostile.handedOutBytes} bytes handed out of ${bytes.length}`);
  }
  const inChunks = recorded([...cut(bytes, sizes), ...PADDING, SOUND]).events;
  const atOnce = recorded([bytes, ...PADDING, SOUND]).events;
  assertSame(inChunks, atOnce, 'in chunks it finds something else than at once');
  assertSame(inChunks.slice(-expected.length), expected, 'the valid fragment is not found');
}

function recorded(chunks: readonly Uint8Array[]): Recorder {
  const recorder = new Recorder();
  const demuxer = new Demuxer(recorder);
  for (const chunk of chunks) demuxer.push(chunk);
  return recorder;
}

function assertSame(actual: readonly string[], wanted: readonly string[], complaint: string): void {
  const at = Math.max(
    wanted.findIndex((event, i) => event !== actual[i]),
    actual.findIndex((event, i) => event !== wanted[i]),
  );
  if (at >= 0) throw new Error(`${complaint}: event ${at} is "${actual[at]}", not "${wanted[at]}"`);
}
