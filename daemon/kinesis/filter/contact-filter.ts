import type { AudioBlock } from '../../audio/pcm.ts';
import { AGENT, type Channel, CUSTOMER } from '../../contract/audio-format.ts';
import type { DemuxerEvents } from '../../matroska/demuxer.ts';
import type { Track } from '../../matroska/elements.ts';
import type { Contact, Position } from '../contact.ts';
import { type KinesisRefused, refusalInStream } from '../refusal.ts';
import { TagNames } from './tag-names.ts';
import { TrackChannels } from './track-channels.ts';

/** daemon/kinesis/README.md: tracks are told apart by name; `Track_audio/L16` is an old form of FROM. */
const CHANNEL_OF_TRACK: ReadonlyMap<string, Channel> = new Map([
  ['AUDIO_FROM_CUSTOMER', CUSTOMER],
  ['Track_audio/L16', CUSTOMER],
  ['AUDIO_TO_CUSTOMER', AGENT],
]);

/** The tags that are read (daemon/kinesis/README.md, "Body"). */
const TAG = {
  contactId: 'ContactId',
  fragmentNumber: 'AWS_KINESISVIDEO_FRAGMENT_NUMBER',
  continuationToken: 'AWS_KINESISVIDEO_CONTINUATION_TOKEN',
  producerTimestamp: 'AWS_KINESISVIDEO_PRODUCER_TIMESTAMP',
  millisBehindNow: 'AWS_KINESISVIDEO_MILLIS_BEHIND_NOW',
  errorCode: 'AWS_KINESISVIDEO_ERROR_CODE',
  errorId: 'AWS_KINESISVIDEO_ERROR_ID',
} as const;
export const TAG_NAMES = new TagNames(Object.values(TAG));

/** What waits for its ContactId is at most this: 32 s of both tracks, many times a Connect fragment. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** What Kinesis accepts when we go on after it (its API's patterns): anything else came of broken bytes. */
const FRAGMENT_NUMBER = /^\d{1,128}$/;
const TOKEN = /^[\w.-]{1,128}$/;
/** What a block takes besides its audio, so that even empty ones come to an end. */
const BLOCK_OVERHEAD_BYTES = 128;

/** Why audio of the stream was not forwarded. */
export type DiscardReason = 'no-contact-id' | 'contact-id-too-late' | 'corrupt';

/** Whose the fragment at hand is. Only of `ours` is anything forwarded. */
type Owner = 'unknown' | 'ours' | 'other' | 'refused';

/**
 * Lets through the audio of one contact and nothing else: a block leaves here only when its fragment is known to carry
 * that ContactId (daemon/README.md, decision 3), be the tag before the cluster or after it. It outlives the connection: what
 * an earlier one delivered is not let through again.
 */
export class ContactFilter implements DemuxerEvents {
  /** The time to note on what arrives; whoever pushes bytes keeps it. */
  nowMs = 0;
  /** How far the last fragment was behind the end of the stream, when the service has told; whoever reads it resets it. */
  behindNowMs: number | undefined;
  /** The last whole fragment of the contact. */
  position: Position | undefined;
  /** Whether a fragment of another contact came after ours: the call is over. */
  nextContactBegan = false;
  /** Whole fragments so far that were not ours: those that name nobody, or belong to a call before ours. */
  foreignFragments = 0;

  readonly #ours: Contact;
  readonly #onDiscard: (why: DiscardReason, detail: string) => void;
  #released: AudioBlock[] = [];

  #owner: Owner = 'unknown';
  #fragmentNumber: string | undefined;
  #producerEpochMs: number | undefined;
  #clusterIsWhole = false;
  #waiting: AudioBlock[] = [];
  #waitingBytes = 0;
  readonly #channels = new TrackChannels();
  /** Blocks of this fragment seen so far, and how many of them an earlier connection has had already. */
  #blocks = 0;
  #blocksHad = 0;
  #errorId: string | undefined;
  #errorText = '';
  /** Whether the connection may still show what an older one has had. */
  #isCatchingUp = true;
  /** The fragment that a connection ended in the middle of. */
  #partial: { fragmentNumber: string; blocks: number } | undefined;

  constructor(contact: Contact, onDiscard: (why: DiscardReason, detail: string) => void) {
    this.#ours = contact;
    this.#onDiscard = onDiscard;
    if ('producerEpochMs' in contact.start) this.position = contact.start;
  }

  /** Whether a whole fragment is behind us and nothing of the next one has come. */
  get isBetweenFragments(): boolean {
    return this.#fragmentNumber === undefined || this.#fragmentNumber === this.position?.fragmentNumber;
  }

  /** What may be forwarded since the last call, in the order of the stream; the array is the caller's. */
  take(): AudioBlock[] {
    const released = this.#released;
    this.#released = [];
    return released;
  }

  /**
   * The connection is over: what it left unfinished counts as not had. Gives the error that the stream itself reported
   * (daemon/kinesis/README.md, "Errors inside the stream").
   */
  connectionEnded(): KinesisRefused | undefined {
    this.#endFragment();
    this.#isCatchingUp = true;
    const error =
      this.#errorId === undefined ? undefined : refusalInStream(this.#errorId, this.#errorText, this.#ours.streamArn);
    this.#errorId = undefined;
    return error;
  }

  fragment(): void {
    this.#endFragment();
  }

  track({ number, name }: Track): void {
    const channel = CHANNEL_OF_TRACK.get(name);
    if (channel !== undefined) this.#channels.add(number, channel);
  }

  tagName(bytes: Buffer, from: number, to: number): string | undefined {
    return TAG_NAMES.find(bytes, from, to);
  }

  tag(name: string, value: string): void {
    if (name === TAG.contactId) this.#contact(value);
    else if (name === TAG.fragmentNumber) this.#number(value);
    else if (name === TAG.continuationToken) this.#whole(value);
    else if (name === TAG.producerTimestamp) this.#producerEpochMs = epochMs(value);
    else if (name === TAG.millisBehindNow) this.behindNowMs = Number(value);
    else if (name === TAG.errorCode) this.#errorText = value;
    else if (name === TAG.errorId) this.#errorId = value;
  }

  block(trackNumber: number, timeMs: number, pcm: Uint8Array): void {
    const channel = this.#channels.of(trackNumber);
    if (channel === undefined) return;
    this.#blocks++;
    if (this.#blocks <= this.#blocksHad) return;
    const block = { channel, timeMs, pcm, arrivedAtMs: this.nowMs };
    if (this.#owner === 'ours') this.#released.push(block);
    else if (this.#owner === 'unknown') this.#wait(block);
  }

  clusterEnd(): void {
    this.#clusterIsWhole = true;
    this.#whole(undefined);
  }

  corrupt(reason: string): void {
    this.#onDiscard('corrupt', reason);
  }

  #contact(contactId: string): void {
    if (contactId !== this.#ours.contactId) {
      this.#owner = 'other';
      this.#waiting = [];
      this.#noteNext();
    } else if (this.#owner === 'unknown') {
      this.#owner = 'ours';
      for (const block of this.#waiting) this.#released.push(block);
      this.#waiting = [];
      if (this.#clusterIsWhole) this.#whole(undefined);
    }
  }

  #number(fragmentNumber: string): void {
    if (!FRAGMENT_NUMBER.test(fragmentNumber)) return;
    this.#fragmentNumber = fragmentNumber;
    if (this.#wasHad(fragmentNumber)) this.#blocksHad = Infinity;
    else if (this.#partial?.fragmentNumber === fragmentNumber) this.#blocksHad = this.#partial.blocks;
    this.#isCatchingUp &&= this.#blocksHad === Infinity;
    this.#noteNext();
  }

  /**
   * A new connection may begin with what an older one has had. Once it is past that, only the same fragment again is left
   * out: a number that broken bytes made too large must not silence the rest of the call.
   */
  #wasHad(fragmentNumber: string): boolean {
    if (!this.position) return false;
    if (!this.#isCatchingUp) return fragmentNumber === this.position.fragmentNumber;
    return isNotAfter(fragmentNumber, this.position.fragmentNumber);
  }

  /** A fragment of another contact ends the call, save one from before ours that a later connection shows once more. */
  #noteNext(): void {
    const had = this.#partial ?? this.position;
    if (this.#owner !== 'other' || !had || this.#fragmentNumber === undefined) return;
    this.nextContactBegan ||= !isNotAfter(this.#fragmentNumber, had.fragmentNumber);
  }

  /** Takes note that the fragment is whole, once that and its owner are known; the token comes after the cluster. */
  #whole(continuationToken: string | undefined): void {
    if (!this.#clusterIsWhole || this.#owner !== 'ours' || this.#fragmentNumber === undefined) return;
    if (this.#blocksHad === Infinity) return;
    const token = continuationToken && TOKEN.test(continuationToken) ? continuationToken : undefined;
    const known = this.position?.fragmentNumber === this.#fragmentNumber ? this.position.continuationToken : undefined;
    this.position = {
      fragmentNumber: this.#fragmentNumber,
      continuationToken: token ?? known,
      producerEpochMs: this.#producerEpochMs,
    };
    this.#partial = undefined;
  }

  #wait(block: AudioBlock): void {
    // What came is only lent (media-body.ts); what waits must be ours.
    this.#waiting.push({ ...block, pcm: Buffer.from(block.pcm) });
    this.#waitingBytes += BLOCK_OVERHEAD_BYTES + block.pcm.length;
    if (this.#waitingBytes <= MAX_WAITING_BYTES) return;
    this.#owner = 'refused';
    this.#waiting = [];
    this.#onDiscard('contact-id-too-late', `no ContactId within ${MAX_WAITING_BYTES} bytes`);
  }

  #endFragment(): void {
    if (this.#owner === 'unknown' && this.#waiting.length > 0) {
      this.#onDiscard('no-contact-id', `fragment ${this.#fragmentNumber} names no contact`);
    }
    if (this.#owner !== 'ours' && this.#clusterIsWhole) this.foreignFragments++;
    const isNew = this.#blocksHad !== Infinity && this.#fragmentNumber !== this.position?.fragmentNumber;
    if (this.#owner === 'ours' && isNew && this.#fragmentNumber) {
      this.#partial = { fragmentNumber: this.#fragmentNumber, blocks: Math.max(this.#blocks, this.#blocksHad) };
    }
    this.#owner = 'unknown';
    this.#fragmentNumber = undefined;
    this.#producerEpochMs = undefined;
    this.#clusterIsWhole = false;
    if (this.#waiting.length > 0) this.#waiting = [];
    this.#waitingBytes = 0;
    this.#channels.clear();
    this.#blocks = 0;
    this.#blocksHad = 0;
  }
}

/** Epoch milliseconds of a tag's seconds; undefined when they are none that a date can have. */
function epochMs(seconds: string): number | undefined {
  const ms = new Date(Number(seconds) * 1000).getTime();
  return ms > 0 ? ms : undefined;
}

/** Fragment numbers are decimal, too long for a number, and grow with the order of ingestion. */
function isNotAfter(fragmentNumber: string, other: string): boolean {
  if (fragmentNumber.length !== other.length) return fragmentNumber.length < other.length;
  return fragmentNumber <= other;
}
