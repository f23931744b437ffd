import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CONNECT_INSTANCE_ID } from '../connect/event.ts';
import { type Block, BYTES_PER_MS, type Cut, cutIntoFragments, type Side, type Voice, voiceBytes } from './cutter.ts';
import { UNKNOWN_SIZE, UNKNOWN_SIZE_SHORT } from './ebml.ts';
import { cluster, fragmentHead, openCluster, producerTags, simpleBlock, type Tag, type Track } from './mkv.ts';
import type { Fragment, Stream } from './stream.ts';

/** A voice and its track. */
export type CallTrack = Track & Voice;

/** A call, as Connect would stream it. */
export interface CallPlan {
  readonly contactId: string;
  /** In the order of the Tracks element. */
  readonly tracks: readonly CallTrack[];
  /** Relative to real time; undefined for a recording, which is stored at once. */
  readonly speed: number | undefined;
  /** Timecode of the call's start: epoch milliseconds for Connect, 0 for some other producers. */
  readonly startMs: number | undefined;
  readonly fragmentMs: number;
  readonly contactTag: 'before' | 'after' | 'none';
  /** Size in the cluster's header: known, or unknown (in long or short encoding), with blocks sent one by one. */
  readonly cluster: 'known' | 'unknown' | 'unknown-short';
  readonly oddBlock: boolean;
  /** Indices of fragments that never reach the stream. */
  readonly missingFragments: readonly number[];
}

/** Streams a call: cuts the tracks into fragments and stores each once its time has passed. */
export class Call {
  readonly id = randomUUID();
  readonly contactId: string;
  readonly stream: Stream;
  readonly startFragmentNumber: string;
  /** Resolves once the whole call has been stored. */
  readonly ended: Promise<void>;
  /** PCM bytes stored so far. */
  readonly bytes: Record<Side, number> = { customer: 0, agent: 0 };
  state: 'running' | 'finished' | 'stopped' = 'running';
  #plan: CallPlan;
  readonly #hangUp = new AbortController();
  /** Start of the call, in epoch milliseconds. */
  readonly #beganMs: number;
  readonly #tags: readonly Tag[];

  constructor(plan: CallPlan, stream: Stream) {
    this.contactId = plan.contactId;
    this.stream = stream;
    this.#plan = plan;
    this.#beganMs = Date.now() - (plan.speed === undefined ? durationMs(plan.tracks) : 0);
    this.#tags = tagsOf(plan);
    this.startFragmentNumber = String(stream.startNumber());
    this.ended = this.#play();
  }

  /** Ends the call early, after the current fragment. */
  stop(): Promise<void> {
    this.#hangUp.abort();
    return this.ended;
  }

  async #play(): Promise<void> {
    const { tracks, fragmentMs, oddBlock, missingFragments } = this.#plan;
    let index = 0;
    for (const cut of cutIntoFragments(tracks, fragmentMs, oddBlock)) {
      if (this.#hangUp.signal.aborted) break;
      if (missingFragments.includes(index++)) continue;
      if (this.#plan.cluster === 'known') await this.#storeWhole(cut);
      else await this.#storeAsItComes(cut, this.#plan.cluster === 'unknown' ? UNKNOWN_SIZE : UNKNOWN_SIZE_SHORT);
    }
    this.state = this.#hangUp.signal.aborted ? 'stopped' : 'finished';
    // Ended calls are kept for their state; the audio is in the stream.
    this.#plan = { ...this.#plan, tracks: [] };
  }

  async #storeWhole(cut: Cut): Promise<void> {
    const inFull = await this.#until(cut.endMs);
    const heardMs = inFull ? cut.endMs : this.#callTimeMs();
    const blocks = cut.blocks.filter(({ endMs }) => endMs <= heardMs);
    if (blocks.length === 0) return;
    const fragment = this.#open(cut);
    const body = cluster(
      this.#timecodeMs(cut),
      blocks.map((block) => this.#encode(block, cut)),
    );
    this.stream.extend(fragment, Buffer.concat([this.#head(fragment), body, this.#tail()]), true);
  }

  async #storeAsItComes(cut: Cut, unknownSize: Buffer): Promise<void> {
    let fragment: Fragment | undefined;
    for (const block of cut.blocks) {
      if (!(await this.#until(block.endMs))) break;
      if (!fragment) {
        fragment = this.#open(cut);
        const start = [this.#head(fragment), openCluster(this.#timecodeMs(cut), unknownSize)];
        this.stream.extend(fragment, Buffer.concat(start), false);
      }
      this.stream.extend(fragment, this.#encode(block, cut), false);
    }
    if (fragment) this.stream.extend(fragment, this.#tail(), true);
  }

  #open(cut: Cut): Fragment {
    return this.stream.open({
      serverMs: this.#plan.speed === undefined ? this.#beganMs + cut.endMs : Date.now(),
      producerMs: this.#beganMs + cut.startMs,
      durationMs: cut.endMs - cut.startMs,
    });
  }

  #head({ number, serverMs, producerMs }: Fragment): Buffer {
    const before = this.#plan.contactTag === 'before' ? producerTags(this.#tags) : undefined;
    return fragmentHead({ number: String(number), serverMs, producerMs }, this.#plan.tracks, before);
  }

  #tail(): Buffer {
    return this.#plan.contactTag === 'before' ? Buffer.alloc(0) : producerTags(this.#tags);
  }

  #encode({ side, startMs, pcm }: Block, cut: Cut): Buffer {
    this.bytes[side] += pcm.length;
    const track = this.#plan.tracks.find((candidate) => candidate.side === side) as CallTrack;
    return simpleBlock(track.number, startMs - cut.startMs, pcm);
  }

  #timecodeMs(cut: Cut): number {
    return (this.#plan.startMs ?? this.#beganMs) + cut.startMs;
  }

  /** Current position in the call, in call time. */
  #callTimeMs(): number {
    return (Date.now() - this.#beganMs) * (this.#plan.speed ?? 1);
  }

  /** Waits for a position in the call; false if the call was stopped before. */
  async #until(callMs: number): Promise<boolean> {
    if (this.#plan.speed === undefined) return true;
    const waitMs = (callMs - this.#callTimeMs()) / this.#plan.speed;
    const { signal } = this.#hangUp;
    if (waitMs <= 0 && !signal.aborted) return true;
    await delay(waitMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    return !signal.aborted;
  }
}

function durationMs(tracks: readonly CallTrack[]): number {
  return Math.max(...tracks.map((track) => track.startsAtMs + Math.ceil(voiceBytes(track) / BYTES_PER_MS)));
}

/** The tags of every Connect fragment, from a printed fragment of a real Connect stream. */
function tagsOf({ contactId, contactTag, tracks }: CallPlan): readonly Tag[] {
  return [
    ...(contactTag === 'none' ? [] : [['ContactId', contactId] as const]),
    ['InstanceId', CONNECT_INSTANCE_ID],
    ['MimeType', 'audio/L16;rate=8000;channels=1;'],
    ...tracks.map(({ name, number }) => [name, String(number)] as const),
    ['Events', '[]'],
  ];
}
