/** The demux stage: network chunks in, audio blocks out. */
import { crc32 } from 'node:zlib';
import { TAG_NAMES } from '../../../daemon/kinesis/filter/tags.ts';
import { Demuxer, type DemuxerEvents } from '../../../daemon/matroska/demuxer.ts';
import { parseWithEbml } from '../naive/ebml.ts';
import { parseWithEbmlStream } from '../naive/ebml-stream.ts';
import type { Parsed } from '../naive/parsed.ts';
import { type Feed, feedOf } from './feeds.ts';
import type { Measured, StageTask } from './measured.ts';
import { cpuPerPass, letStreamsRun } from './stopwatch.ts';

/** Counts what a parser finds. The checksum is optional because it costs more than parsing. */
class Ear {
  /** Bytes of audio, tracks and tags. */
  found = 0;
  crc = 0;
  readonly #checks: boolean;

  constructor(checks: boolean) {
    this.#checks = checks;
  }

  note(): void {
    this.found++;
  }

  take(payload: Uint8Array): void {
    this.found += payload.length;
    if (this.#checks) this.crc = crc32(payload, this.crc);
  }
}

class EarOfNaive extends Ear implements Parsed {
  track(): void {
    this.note();
  }

  tag(): void {
    this.note();
  }

  block(_track: number, payload: Buffer): void {
    this.take(payload);
  }
}

class EarOfDaemon extends Ear implements DemuxerEvents {
  fragment(): void {}
  segmentUid(): void {}
  cluster(): void {}
  clusterEnd(): void {}
  skipped(): void {}
  skippedUnseen(): void {}
  passedOver(): void {}

  track(): void {
    this.note();
  }

  /** Counts every tag; the value is read only if the daemon would read it. */
  tagName(bytes: Buffer, from: number, to: number): string | undefined {
    this.note();
    return TAG_NAMES.find(bytes, from, to);
  }

  tag(): void {}

  block(_track: number, _timeMs: number, payload: Uint8Array): void {
    this.take(payload);
  }

  corrupt(reason: string): void {
    throw new Error(`the demuxer considers the feed corrupt: ${reason}`);
  }
}

/** A parser of one body, and the collector of its output. */
interface Parser {
  readonly ear: Ear;
  write(chunk: Buffer): void;
}

const PARSERS: Readonly<Record<string, (checks: boolean) => Parser>> = {
  integratord(checks) {
    const ear = new EarOfDaemon(checks);
    const demuxer = new Demuxer(ear);
    return { ear, write: (chunk) => demuxer.push(chunk) };
  },
  'ebml-stream'(checks) {
    const ear = new EarOfNaive(checks);
    const decoder = parseWithEbmlStream(ear);
    return { ear, write: (chunk) => void decoder.write(chunk) };
  },
  ebml(checks) {
    const ear = new EarOfNaive(checks);
    const decoder = parseWithEbml(ear);
    return { ear, write: (chunk) => void decoder.write(chunk) };
  },
};

export async function measureDemux({ contender, feed: name, calls, cpuMs }: StageTask): Promise<Measured> {
  const feed = feedOf(name, calls);
  const open = PARSERS[contender] as (checks: boolean) => Parser;
  const checked = await parse(feed, () => open(true));
  const checksum = checked.reduce((sum, { crc, found }) => crc32(`${crc} ${found}`, sum), 0);
  const expected = foundBy(checked);
  const pass = async () => {
    const ears = await parse(feed, () => open(false));
    if (foundBy(ears) !== expected)
      throw new Error(`${contender} found ${foundBy(ears)} in one pass and ${expected} before`);
  };
  return { cpuMsPerUnit: (await cpuPerPass(pass, cpuMs)) / feed.units, checksum };
}

/** Feeds all bodies in turn, chunk by chunk, as in a process with many calls. */
async function parse({ bodies }: Feed, open: () => Parser): Promise<Ear[]> {
  const parsers = bodies.map(open);
  const rounds = Math.max(...bodies.map(({ length }) => length));
  for (let round = 0; round < rounds; round++) {
    for (let body = 0; body < bodies.length; body++) {
      const chunk = bodies[body]?.[round];
      if (chunk) parsers[body]?.write(chunk);
    }
    await letStreamsRun();
  }
  return parsers.map(({ ear }) => ear);
}

function foundBy(ears: readonly Ear[]): number {
  return ears.reduce((sum, ear) => sum + ear.found, 0);
}
