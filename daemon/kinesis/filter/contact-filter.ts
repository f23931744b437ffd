import type { AudioBlock } from '../../audio/pcm.ts';
import { AGENT, type Channel, CUSTOMER } from '../../contract/audio-format.ts';
import type { DemuxerEvents } from '../../matroska/demuxer.ts';
import type { Track } from '../../matroska/elements.ts';
import type { Contact, Position } from '../contact.ts';
import { type KinesisRefused, refusalInStream } from '../refusal.ts';
import { Delivery } from './delivery.ts';
import { Fragment, ownerAfterContactId } from './fragment.ts';
import { epochMs, isContinuationToken, isFragmentNumber, TAG, TAG_NAMES } from './tags.ts';
import { MAX_WAITING_BYTES } from './waiting-blocks.ts';

/** daemon/kinesis/README.md: tracks are identified by name; `Track_audio/L16` is an old form of FROM. */
const CHANNEL_OF_TRACK: ReadonlyMap<string, Channel> = new Map([
  ['AUDIO_FROM_CUSTOMER', CUSTOMER],
  ['Track_audio/L16', CUSTOMER],
  ['AUDIO_TO_CUSTOMER', AGENT],
]);

/** Why audio of the stream was not forwarded. */
export type DiscardReason = 'no-contact-id' | 'contact-id-too-late' | 'corrupt';

/**
 * Lets the audio of one contact through and nothing else: a block leaves only when its fragment is known to carry that
 * ContactId (daemon/README.md, decision 3), whether the tag stands before the cluster or after it. Outlives
 * connections, and skips what an earlier one has delivered.
 */
export class ContactFilter implements DemuxerEvents {
  /** The arrival time of the bytes being pushed; set by the caller. */
  nowMs = 0;
  /** How far the last fragment was behind the end of the stream, if reported; reset by the caller. */
  behindNowMs: number | undefined;
  /** Whether a fragment of another contact came after ours: the call is over. */
  nextContactBegan = false;
  /** Complete fragments so far that are not ours: without a ContactId, or with another one. */
  foreignFragments = 0;

  readonly #contact: Contact;
  readonly #onDiscard: (why: DiscardReason, detail: string) => void;
  readonly #fragment = new Fragment();
  readonly #delivery: Delivery;
  #released: AudioBlock[] = [];
  #errorId: string | undefined;
  #errorText = '';

  constructor(contact: Contact, onDiscard: (why: DiscardReason, detail: string) => void) {
    this.#contact = contact;
    this.#onDiscard = onDiscard;
    this.#delivery = new Delivery('producerEpochMs' in contact.start ? contact.start : undefined);
  }

  /** The last fragment of the contact received completely. */
  get position(): Position | undefined {
    return this.#delivery.position;
  }

  /** Whether a fragment is complete and nothing of the next one has come. */
  get isBetweenFragments(): boolean {
    const { number } = this.#fragment;
    return number === undefined || number === this.position?.fragmentNumber;
  }

  /** Blocks to forward since the last call, in stream order; the array is the caller's. */
  take(): AudioBlock[] {
    const released = this.#released;
    this.#released = [];
    return released;
  }

  /**
   * The connection has ended; the next one delivers the rest of an incomplete fragment. Returns the error that the
   * stream itself reported (daemon/kinesis/README.md, "Errors inside the stream").
   */
  connectionEnded(): KinesisRefused | undefined {
    this.#endFragment();
    this.#delivery.connectionEnded();
    const errorId = this.#errorId;
    this.#errorId = undefined;
    return errorId === undefined ? undefined : refusalInStream(errorId, this.#errorText, this.#contact.streamArn);
  }

  fragment(): void {
    this.#endFragment();
  }

  track({ number, name }: Track): void {
    const channel = CHANNEL_OF_TRACK.get(name);
    if (channel !== undefined) this.#fragment.channels.add(number, channel);
  }

  tagName(bytes: Buffer, from: number, to: number): string | undefined {
    return TAG_NAMES.find(bytes, from, to);
  }

  tag(name: string, value: string): void {
    if (name === TAG.contactId) this.#noteContact(value);
    else if (name === TAG.fragmentNumber) this.#noteNumber(value);
    else if (name === TAG.continuationToken) this.#noteComplete(isContinuationToken(value) ? value : undefined);
    else if (name === TAG.producerTimestamp) this.#fragment.producerEpochMs = epochMs(value);
    else if (name === TAG.millisBehindNow) this.behindNowMs = Number(value);
    else if (name === TAG.errorCode) this.#errorText = value;
    else if (name === TAG.errorId) this.#errorId = value;
  }

  block(trackNumber: number, timeMs: number, pcm: Uint8Array): void {
    const fragment = this.#fragment;
    const channel = fragment.channels.of(trackNumber);
    if (channel === undefined) return;
    fragment.blocks++;
    if (fragment.blocks <= fragment.deliveredBlocks) return;
    const block = { channel, timeMs, pcm, arrivedAtMs: this.nowMs };
    if (fragment.owner === 'ours') this.#released.push(block);
    else if (fragment.owner === 'unknown') this.#wait(block);
  }

  clusterEnd(): void {
    this.#fragment.isClusterComplete = true;
    this.#noteComplete(undefined);
  }

  corrupt(reason: string): void {
    this.#onDiscard('corrupt', reason);
  }

  #noteContact(contactId: string): void {
    const fragment = this.#fragment;
    const before = fragment.owner;
    fragment.owner = ownerAfterContactId(before, contactId === this.#contact.contactId);
    if (fragment.owner === 'other') {
      fragment.waiting.clear();
      this.#noteNextContact();
    } else if (before === 'unknown') {
      fragment.waiting.moveTo(this.#released);
      this.#noteComplete(undefined);
    }
  }

  #noteNumber(fragmentNumber: string): void {
    if (!isFragmentNumber(fragmentNumber)) return;
    this.#fragment.number = fragmentNumber;
    this.#delivery.begin(this.#fragment, fragmentNumber);
    this.#noteNextContact();
  }

  /** Another contact ends the call, unless its fragment precedes ours and is repeated by a new connection. */
  #noteNextContact(): void {
    const { owner, number } = this.#fragment;
    if (owner === 'other' && number !== undefined) this.nextContactBegan ||= this.#delivery.isBefore(number);
  }

  /** Called for everything that can complete a fragment: the end of its cluster, and tags after it. */
  #noteComplete(continuationToken: string | undefined): void {
    const { owner, number, isClusterComplete, producerEpochMs, deliveredBlocks } = this.#fragment;
    if (!isClusterComplete || owner !== 'ours' || number === undefined || deliveredBlocks === Infinity) return;
    this.#delivery.complete(number, producerEpochMs, continuationToken);
  }

  #wait(block: AudioBlock): void {
    const { waiting } = this.#fragment;
    waiting.add(block);
    if (!waiting.isOverLimit) return;
    waiting.clear();
    this.#fragment.owner = 'withheld';
    this.#onDiscard('contact-id-too-late', `no ContactId within ${MAX_WAITING_BYTES} bytes`);
  }

  #endFragment(): void {
    const fragment = this.#fragment;
    const { owner, number, waiting, isClusterComplete } = fragment;
    if (owner === 'unknown' && !waiting.isEmpty) {
      this.#onDiscard('no-contact-id', `fragment ${number} names no contact`);
    }
    if (owner === 'ours') this.#delivery.end(fragment);
    else if (isClusterComplete) this.foreignFragments++;
    fragment.reset();
  }
}
