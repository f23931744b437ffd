import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CONNECT_INSTANCE_ID } from '../connect/event.ts';
import { type Block, BYTES_PER_MS, type Cut, cutIntoFragments, type Side, type Voice, voiceBytes } from './cutter.ts';
import { UNKNOWN_SIZE, UNKNOWN_SIZE_SHORT } from './ebml.ts';
import { cluster, fragmentHead, openCluster, producerTags, simpleBlock, type Tag, type Track } from './mkv.ts';
import type { Fragment, Stream } from './stream.ts';

/** An element that is in no schema, with its size. */
const UNKNOWN_ELEMENT = Buffer.from('5faa8461626364', 'hex');

/** A voice and the track that carries it. */
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
  readonly contactTag: 'before' | 'after' | 'both' | 'none';
  readonly untaggedFragments: readonly number[];
  readonly startNumber: 'before' | 'first';
  readonly segmentUid: string;
  readonly unknownElements: boolean;
  readonly inexactMs: number;
  readonly sentAgain?: { readonly after: number; readonly fragments: number } | undefined;
  /** The size in the cluster's header: known, or unknown in its long or short coding, and then sent block by block. */
  readonly cluster: 'known' | 'unknown' | 'unknown-short';
  readonly oddBlock: boolean;
  /** Indices of fragments in which a side's track has another name. */
  readonly renamed?: { readonly side: Side; readonly fragments: readonly number[] } | undefined;
  /** Indices of fragments that never reach the stream. */
  readonly missingFragments: readonly number[];
  /** Whether the first fragment waits for the stream's first reader, so that a slow start does not miss the call. */
  readonly awaitsReader: boolean;
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
  /** When its audio begins to arrive, in epoch milliseconds. */
  #playsFromMs: number;
  /** The fragment being written, from 0. */
  #index = 0;
  readonly #tags: readonly Tag[];

  constructor(plan: CallPlan, stream: Stream) {
    this.contactId = plan.contactId;
    this.stream = stream;
    this.#plan = plan;
    this.#beganMs = Date.now() - (plan.speed === undefined ? durationMs(plan.tracks) : 0);
    this.#playsFromMs = this.#beganMs;
    this.#tags = tagsOf(plan);
    this.startFragmentNumber = String(plan.startNumber === 'first' ? stream.firstNumber() : stream.startNumber());
    this.ended = this.#play();
  }

  /** Ends the call early, after the current fragment. */
  stop(): Promise<void> {
    this.#hangUp.abort();
    return this.ended;
  }

  async #play(): Promise<void> {
    const { tracks, fragmentMs, oddBlock, missingFragments, sentAgain } = this.#plan;
    await this.#reader();
    const latest: Cut[] = [];
    let index = 0;
    for (const cut of cutIntoFragments(tracks, fragmentMs, oddBlock)) {
      if (this.#hangUp.signal.aborted) break;
      this.#index = index++;
      if (missingFragments.includes(this.#index)) continue;
      await this.#store(cut);
      if (!sentAgain) continue;
      latest.push(cut);
      if (latest.length > sentAgain.fragments) latest.shift();
      if (this.#index === sentAgain.after) for (const again of latest) await this.#store(again);
    }
    this.state = this.#hangUp.signal.aborted ? 'stopped' : 'finished';
    // Ended calls are kept for their state; the audio is in the stream.
    this.#plan = { ...this.#plan, tracks: [] };
  }

  /** Waits for the stream's first reader, if the plan says so. */
  async #reader(): Promise<void> {
    if (!this.#plan.awaitsReader) return;
    await this.stream.firstRead(this.#hangUp.signal);
    this.#playsFromMs = Date.now();
  }

  #store(cut: Cut): Promise<void> {
    if (this.#plan.cluster === 'known') return this.#storeWhole(cut);
    return this.#storeAsItComes(cut, this.#plan.cluster === 'unknown' ? UNKNOWN_SIZE : UNKNOWN_SIZE_SHORT);
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
    const { contactTag, segmentUid, unknownElements } = this.#plan;
    const before = contactTag === 'before' || contactTag === 'both' ? producerTags(this.#tagsNow()) : undefined;
    const head = fragmentHead({ number: String(number), serverMs, producerMs, segmentUid }, this.#tracksNow(), before);
    return unknownElements ? Buffer.concat([head, UNKNOWN_ELEMENT]) : head;
  }

  #tracksNow(): readonly Track[] {
    const { tracks, renamed } = this.#plan;
    if (!renamed?.fragments.includes(this.#index)) return tracks;
    return tracks.map((track) => (track.side === renamed.side ? { ...track, name: 'of another name' } : track));
  }

  #tail(): Buffer {
    return this.#plan.contactTag === 'before' ? Buffer.alloc(0) : producerTags(this.#tagsNow());
  }

  #tagsNow(): readonly Tag[] {
    const isUntagged = this.#plan.untaggedFragments.includes(this.#index);
    return isUntagged ? this.#tags.filter(([name]) => name !== 'ContactId') : this.#tags;
  }

  /** Epoch milliseconds: Connect's StartTimestamp. */
  get beganMs(): number {
    return this.#beganMs;
  }

  #encode({ side, startMs, pcm }: Block, cut: Cut): Buffer {
    this.bytes[side] += pcm.length;
    const track = this.#plan.tracks.find((candidate) => candidate.side === side) as CallTrack;
    const block = simpleBlock(track.number, startMs - cut.startMs + this.#inexactness(side, startMs), pcm);
    return this.#plan.unknownElements ? Buffer.concat([block, UNKNOWN_ELEMENT]) : block;
  }

  /** The same each time that a block is sent. */
  #inexactness(side: Side, startMs: number): number {
    const { inexactMs } = this.#plan;
    return ((startMs * 7919 + (side === 'agent' ? 104_729 : 0)) % (2 * inexactMs + 1)) - inexactMs;
  }

  #timecodeMs(cut: Cut): number {
    return (this.#plan.startMs ?? this.#beganMs) + cut.startMs;
  }

  /** Current position in the call, in call time. */
  #callTimeMs(): number {
    return (Date.now() - this.#playsFromMs) * (this.#plan.speed ?? 1);
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
