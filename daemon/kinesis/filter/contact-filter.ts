import type { AudioBlock } from '../../audio/pcm.ts';
import {
  AGENT,
  BYTES_PER_SAMPLE,
  CHANNELS,
  type Channel,
  CUSTOMER,
  SAMPLES_PER_MS,
} from '../../contract/audio-format.ts';
import type { DemuxerEvents } from '../../matroska/demuxer.ts';
import type { Track } from '../../matroska/elements.ts';
import type { Millis } from '../../runtime/clock.ts';
import type { Contact, Position } from '../contact.ts';
import { type KinesisRefused, refusalInStream } from '../refusal.ts';
import { CallBeginning } from './call-beginning.ts';
import { Delivery } from './delivery.ts';
import { Fragment, ownerAfterContactId } from './fragment.ts';
import { HeldFragment } from './held-fragment.ts';
import {
  containsContactId,
  epochMs,
  isContinuationToken,
  isFragmentNumber,
  looksLikeContactId,
  TAG,
  TAG_NAMES,
} from './tags.ts';
import { MAX_WAITING_BYTES, type WaitingBlocks } from './waiting-blocks.ts';
import { WithheldAudio } from './withheld-audio.ts';

const NONE: readonly AudioBlock[] = [];
/** daemon/kinesis/README.md: tracks are identified by name; `Track_audio/L16` is an old form of FROM. */
const CHANNEL_OF_TRACK: ReadonlyMap<string, Channel> = new Map([
  ['AUDIO_FROM_CUSTOMER', CUSTOMER],
  ['Track_audio/L16', CUSTOMER],
  ['AUDIO_TO_CUSTOMER', AGENT],
]);

/** Why audio of the stream was not forwarded. */
export type DiscardReason = 'no-contact-id' | 'contact-id-too-late' | 'corrupt' | 'two-contacts';

/**
 * Lets the audio of one contact through and nothing else: a block leaves only when its fragment is known to be the
 * contact's (daemon/README.md, decision 3), whether the tag stands before the cluster or after it. Outlives connections,
 * and skips what an earlier one has delivered.
 */
export class ContactFilter implements DemuxerEvents {
  /** The arrival time of the bytes being pushed; set by the caller. */
  nowMs = 0;
  /** How far the last fragment was behind the end of the stream, if reported; reset by the caller. */
  behindNowMs: number | undefined;
  /** The last block of either track, whosever it is: where it ends on the producer's clock, and how long it is. */
  blockEndMs = 0;
  /** Reset by the caller. */
  blockMs = 0;
  /** Whether a fragment of another contact came after ours: the call is over. */
  nextContactBegan = false;
  /** Complete fragments so far that are not ours: without a ContactId, or with another one. */
  foreignFragments = 0;
  /** Where to read again, because the call may have begun earlier; nothing is forwarded until then. */
  rewindToMs: Millis | undefined;

  readonly #contact: Contact;
  readonly #onDiscard: (why: DiscardReason, detail: string) => void;
  readonly #onRestart: () => void;
  readonly #onMissedAtStart: (ms: Millis) => void;
  readonly #fragment = new Fragment();
  readonly #held = new HeldFragment();
  readonly #withheld = new WithheldAudio();
  readonly #delivery: Delivery;
  /** Undefined once the call's first audio was released. */
  #beginning: CallBeginning | undefined;
  /**
   * Made for the first block after `take`. Made in advance it would grow old meanwhile, and V8 keeps what old garbage
   * points to until the next major collection.
   */
  #released: AudioBlock[] | undefined;
  /** How many of them belong to earlier fragments. */
  #releasedBefore = 0;
  /** Whether the fragment before the current one is ours. */
  #followsOurs: boolean;
  #ourSegmentUid: string | undefined;
  #errorId: string | undefined;
  #errorText: string | undefined;

  /**
   * @param onRestart the contact's streaming was stopped and started again: audio missing before this was not streamed
   * @param onMissedAtStart this much of the call's beginning is gone from the stream, or named no contact
   */
  constructor(
    contact: Contact,
    onDiscard: (why: DiscardReason, detail: string) => void,
    onRestart: () => void = () => {},
    onMissedAtStart: (ms: Millis) => void = () => {},
  ) {
    const { start } = contact;
    const position = 'producerEpochMs' in start ? start : undefined;
    this.#contact = contact;
    this.#onDiscard = onDiscard;
    this.#onRestart = onRestart;
    this.#onMissedAtStart = onMissedAtStart;
    this.#delivery = new Delivery(position);
    this.#beginning = 'isCallStart' in start ? new CallBeginning(start) : undefined;
    this.#followsOurs = position !== undefined;
    this.#ourSegmentUid = position?.segmentUid;
  }

  /** The last fragment of the contact received completely. */
  get position(): Position | undefined {
    return this.#delivery.position;
  }

  /** Changes with everything that is delivered for the first time. */
  get progress(): string {
    return this.#delivery.progress;
  }

  /** Withheld audio of the call after the last forwarded audio: no later audio can reveal it as a gap. */
  get withheldAtEndMs(): Millis {
    return this.#withheld.ms;
  }

  /** Whether a fragment is complete and nothing of the next one has come. */
  get isBetweenFragments(): boolean {
    const { number } = this.#fragment;
    return number === undefined || number === this.position?.fragmentNumber;
  }

  /** Call before a connection: whether it looks for the beginning of the call by fragment number, not by time. */
  readFrom(isByNumber: boolean): void {
    if (this.#beginning) this.#beginning.isByNumber = isByNumber;
  }

  /** Blocks to forward since the last call, in stream order. */
  take(): readonly AudioBlock[] {
    const released = this.#released ?? NONE;
    this.#released = undefined;
    this.#releasedBefore = 0;
    return released;
  }

  /**
   * The connection has ended; the next one delivers the rest of an incomplete fragment. Returns the error that the
   * stream itself reported (daemon/kinesis/README.md, "Errors inside the stream").
   */
  connectionEnded(): KinesisRefused | undefined {
    this.#endFragment(false);
    this.#delivery.connectionEnded();
    // The next connection starts after the position. A fragment without a number cannot be recognized when it repeats.
    this.#followsOurs = this.position !== undefined;
    if (this.#held.number === undefined) this.#dropHeld();
    this.rewindToMs = undefined;
    const [errorId, errorText] = [this.#errorId, this.#errorText];
    this.#errorId = undefined;
    this.#errorText = undefined;
    if (errorId === undefined && errorText === undefined) return undefined;
    const error = refusalInStream(errorId ?? '', errorText ?? '', this.#contact.streamArn);
    if (error.isFragmentGone) this.#followsOurs = false;
    return error;
  }

  /** The call is over: nothing follows that could say that the last fragment is not ours. */
  finish(): void {
    if (this.nextContactBegan) this.#dropHeld();
    else this.#acceptHeld();
  }

  fragment(): void {
    this.#endFragment(true);
  }

  segmentUid(uid: string): void {
    // Usually the same: one string for all of a call's fragments.
    this.#fragment.segmentUid = uid === this.#ourSegmentUid ? this.#ourSegmentUid : uid;
  }

  /** A second cluster may be another caller's, with the fragment's header lost: only a ContactId after it can say. */
  cluster(): void {
    const fragment = this.#fragment;
    if (fragment.clusters++ > 0) this.#doubtOwner();
    fragment.isClusterComplete = false;
  }

  track({ number, name }: Track): void {
    const channel = CHANNEL_OF_TRACK.get(name);
    if (channel !== undefined) this.#fragment.channels.add(number, channel);
  }

  tagName(bytes: Buffer, from: number, to: number): string | undefined {
    const name = TAG_NAMES.find(bytes, from, to);
    if (name === undefined && looksLikeContactId(bytes, from, to)) this.#fragment.isSuspect = true;
    return name;
  }

  tag(name: string, value: string): void {
    if (name === TAG.contactId) this.#noteContact(value);
    else if (name === TAG.fragmentNumber) this.#noteNumber(value);
    else if (name === TAG.continuationToken) this.#noteToken(value);
    else if (name === TAG.producerTimestamp) this.#fragment.producerEpochMs = epochMs(value);
    else if (name === TAG.millisBehindNow) this.behindNowMs = Number(value);
    else if (name === TAG.errorCode) this.#errorText = value;
    else if (name === TAG.errorId) this.#errorId = value;
  }

  block(trackNumber: number, timeMs: number, pcm: Uint8Array): void {
    const fragment = this.#fragment;
    const channel = fragment.channels.of(trackNumber);
    if (channel === undefined) {
      this.#noteUnnamed({ timeMs, pcm });
      return;
    }
    this.blockMs = pcm.length / (BYTES_PER_SAMPLE * SAMPLES_PER_MS);
    this.blockEndMs = timeMs + this.blockMs;
    fragment.blocks++;
    fragment.hasBlocksOf[channel] = true;
    if (fragment.blocks <= fragment.deliveredBlocks) return;
    const block = { channel, timeMs, pcm, arrivedAtMs: this.nowMs };
    if (this.#isReleasable()) {
      this.#beginRelease();
      if (this.rewindToMs === undefined) this.#release(block);
    } else if (fragment.owner === 'unknown' || fragment.owner === 'ours') this.#wait(block);
    else fragment.lost.add(block);
  }

  clusterEnd(): void {
    this.#fragment.isClusterComplete = true;
    this.#noteComplete(undefined);
  }

  skipped(bytes: Buffer, from: number, to: number): void {
    if (containsContactId(bytes, from, to)) this.#fragment.isSuspect = true;
  }

  skippedUnseen(): void {
    this.#fragment.isSuspect = true;
  }

  corrupt(reason: string): void {
    this.#fragment.isSuspect = true;
    this.#onDiscard('corrupt', reason);
  }

  /** Where one of Connect's tracks is missing, another track may be that one under a wrong name. */
  #noteUnnamed(block: Pick<AudioBlock, 'timeMs' | 'pcm'>): void {
    const { channels, unnamed, owner, number = 'without a number' } = this.#fragment;
    const isFirst = unnamed.ms === 0;
    unnamed.add(block);
    if (!isFirst || unnamed.ms === 0 || owner === 'other' || channels.count === CHANNELS) return;
    this.#onDiscard('corrupt', `fragment ${number} lacks one of Connect's tracks, and has another one`);
  }

  passedOver(bytes: number): void {
    this.#fragment.corruptBytes += bytes;
  }

  #noteContact(contactId: string): void {
    const fragment = this.#fragment;
    if (contactId === '') {
      fragment.isSuspect = true;
      return;
    }
    const before = fragment.owner;
    fragment.owner = ownerAfterContactId(before, contactId === this.#contact.contactId);
    if (fragment.owner === 'ours') {
      if (this.#isReleasable()) this.#releaseWaiting();
      this.#noteComplete(undefined);
    } else if (fragment.owner === 'mixed') {
      if (before !== 'mixed') this.#withholdMixed();
    } else if (fragment.owner === 'other') {
      fragment.waiting.clear();
      this.#beginning?.noteOther();
      this.#dropHeld();
      this.#noteNextContact();
    }
  }

  /** Two contacts: withholds everything that has not been forwarded, even what is ready. */
  #withholdMixed(): void {
    const fragment = this.#fragment;
    for (const block of this.#released?.splice(this.#releasedBefore) ?? NONE) {
      fragment.lost.add(block);
      fragment.releasedBlocks--;
    }
    fragment.lost.addAll(fragment.waiting.span);
    fragment.waiting.clear();
    this.#onDiscard('two-contacts', `fragment ${fragment.number} names two contacts`);
  }

  #noteNumber(fragmentNumber: string): void {
    if (!isFragmentNumber(fragmentNumber)) return;
    const fragment = this.#fragment;
    if (fragment.number !== undefined && fragment.number !== fragmentNumber) this.#doubtOwner();
    fragment.number = fragmentNumber;
    this.#beginning?.noteNumber(fragmentNumber);
    if (this.#held.number === fragmentNumber) this.#held.clear();
    this.#delivery.begin(fragment, fragmentNumber);
    if (fragment.deliveredBlocks > 0) fragment.waiting.dropFirst(Math.min(fragment.deliveredBlocks, fragment.blocks));
    if (fragment.owner === 'ours') this.#releaseWaiting();
    this.#noteNextContact();
  }

  #noteToken(token: string): void {
    this.#fragment.isTagged = this.#fragment.isClusterComplete;
    this.#noteComplete(isContinuationToken(token) ? token : undefined);
  }

  /** Another contact ends the call, unless its fragment precedes ours and is repeated by a new connection. */
  #noteNextContact(): void {
    const { owner, number } = this.#fragment;
    if (owner === 'other' && number !== undefined) this.nextContactBegan ||= this.#delivery.isBefore(number);
  }

  /** Called for everything that can complete a fragment: the end of its cluster, and tags after it. */
  #noteComplete(continuationToken: string | undefined): void {
    const fragment = this.#fragment;
    const { owner, number, isClusterComplete, deliveredBlocks } = fragment;
    if (!isClusterComplete || owner !== 'ours' || number === undefined || deliveredBlocks === Infinity) return;
    if (this.rewindToMs !== undefined) return;
    this.#beginRelease();
    this.#delivery.complete(fragment, continuationToken);
  }

  /** Resets the ownership: blocks that have not been released need a ContactId that arrives later. */
  #doubtOwner(): void {
    const fragment = this.#fragment;
    fragment.isSuspect = true;
    fragment.lost.addAll(fragment.waiting.span);
    fragment.waiting.clear();
    if (fragment.owner === 'ours') fragment.owner = 'unknown';
  }

  /** Whether a block of the fragment may be forwarded now. Without a number, a repeat cannot be recognized. */
  #isReleasable(): boolean {
    const { owner, number } = this.#fragment;
    return owner === 'ours' && (number !== undefined || !this.#delivery.isCatchingUp);
  }

  /** Call before the first block of the fragment is released. */
  #beginRelease(): void {
    if (this.rewindToMs !== undefined) return;
    const fragment = this.#fragment;
    if (this.#beginning) {
      this.rewindToMs = this.#beginning.rewindFrom(fragment.producerEpochMs);
      if (this.rewindToMs !== undefined) return;
      const missedMs = this.#beginning.missedMs(fragment);
      this.#beginning = undefined;
      if (missedMs > 0) this.#onMissedAtStart(missedMs);
    }
    if (!this.#held.isEmpty) this.#acceptHeld();
    this.#noteSegment(fragment.segmentUid);
  }

  #noteSegment(uid: string | undefined): void {
    if (uid === this.#ourSegmentUid) return;
    if (uid !== undefined && this.#ourSegmentUid !== undefined) this.#onRestart();
    this.#ourSegmentUid = uid;
  }

  #release(block: AudioBlock): void {
    this.#fragment.releasedBlocks++;
    this.#released ??= [];
    this.#released.push(block);
    this.#withheld.clear();
  }

  #releaseWaiting(): void {
    const { waiting } = this.#fragment;
    if (waiting.isEmpty) return;
    this.#beginRelease();
    if (this.rewindToMs !== undefined) return;
    this.#fragment.releasedBlocks += waiting.length;
    this.#moveToReleased(waiting);
  }

  #moveToReleased(blocks: WaitingBlocks): void {
    if (!blocks.isEmpty) this.#withheld.clear();
    this.#released ??= [];
    blocks.moveTo(this.#released);
  }

  #wait(block: AudioBlock): void {
    const fragment = this.#fragment;
    fragment.waiting.add(block);
    if (!fragment.waiting.isOverLimit) return;
    fragment.lost.addAll(fragment.waiting.span);
    fragment.waiting.clear();
    fragment.owner = 'withheld';
    this.#onDiscard('contact-id-too-late', `no ContactId within ${MAX_WAITING_BYTES} bytes`);
  }

  #acceptHeld(): void {
    if (this.#held.isEmpty) return;
    this.#moveToReleased(this.#held.blocks);
    this.#delivery.complete(this.#held, undefined);
    this.#releasedBefore = this.#released?.length ?? 0;
    this.#held.clear();
  }

  #dropHeld(): void {
    if (this.#held.isEmpty) return;
    const { number, blocks } = this.#held;
    if (number !== undefined || !this.#delivery.isCatchingUp) this.#withheld.add(number, blocks.span.ms);
    this.foreignFragments++;
    this.#held.clear();
    this.#onDiscard('no-contact-id', `fragment ${number} names no contact, and what follows is not ours`);
  }

  /** @param isFollowed whether the next fragment has begun, so that nothing of this one can follow */
  #endFragment(isFollowed: boolean): void {
    const fragment = this.#fragment;
    const { owner, deliveredBlocks } = fragment;
    const isRepeated = owner === 'unknown' && deliveredBlocks === Infinity;
    if (owner === 'ours') this.#endOurs(isFollowed);
    else if (owner === 'unknown' && !isRepeated) this.#endUnknown(isFollowed);
    else if (!isRepeated) this.#endForeign();
    if (fragment.clusters > 0 || fragment.number !== undefined) {
      this.#followsOurs = owner === 'ours' || isRepeated || !this.#held.isEmpty;
    }
    this.#releasedBefore = this.#released?.length ?? 0;
    fragment.reset();
  }

  #endOurs(isFollowed: boolean): void {
    const fragment = this.#fragment;
    if (this.rewindToMs !== undefined) return;
    if (!fragment.waiting.isEmpty) this.#onDiscard('corrupt', 'a fragment of ours without a fragment number');
    // What is missing of a fragment that is followed by another one will not come any more.
    const isNew = fragment.deliveredBlocks !== Infinity && fragment.number !== this.position?.fragmentNumber;
    if (isFollowed && isNew && fragment.releasedBlocks > 0) {
      this.#delivery.complete(fragment, undefined);
    }
    this.#noteUnread();
    this.#delivery.end(fragment);
  }

  /** What could not be read of a fragment of ours: later audio would show it as a gap, but this may be the last one. */
  #noteUnread(): void {
    const { number, deliveredBlocks, corruptBytes, hasBlocksOf, channels, unnamed } = this.#fragment;
    if (number === undefined || deliveredBlocks === Infinity) return;
    // An estimate: a few of the bytes are not audio.
    const tracks = hasBlocksOf.filter(Boolean).length || channels.count || 1;
    const bytesPerMs = BYTES_PER_SAMPLE * SAMPLES_PER_MS * tracks;
    const unnamedMs = hasBlocksOf.every(Boolean) ? 0 : unnamed.ms;
    this.#withheld.add(number, Math.max(Math.round(corruptBytes / bytesPerMs), unnamedMs));
  }

  #endUnknown(isFollowed: boolean): void {
    const fragment = this.#fragment;
    const isWhole = isFollowed || fragment.isTagged;
    if (fragment.clusters === 0) return;
    if (isWhole && this.#isOfOurRun()) {
      this.#acceptHeld();
      this.#held.hold(fragment);
      return;
    }
    if (!isFollowed && !fragment.isClusterComplete) {
      // The next connection brings it again.
      this.#noteWithheld();
      return;
    }
    if (!fragment.waiting.isEmpty || fragment.releasedBlocks > 0) {
      this.#onDiscard('no-contact-id', `fragment ${fragment.number} names no contact`);
    }
    this.#endForeign();
  }

  #endForeign(): void {
    const fragment = this.#fragment;
    // Known to belong to another contact, or not known to be ours; held blocks before it are not ours either.
    this.#dropHeld();
    if (fragment.owner !== 'other') this.#noteWithheld();
    if (fragment.releasedBlocks > 0 || fragment.deliveredBlocks > 0) this.#delivery.end(fragment);
    if (fragment.isClusterComplete) this.foreignFragments++;
  }

  #noteWithheld(): void {
    const { number, segmentUid, lost, waiting } = this.#fragment;
    lost.addAll(waiting.span);
    if (number !== undefined) this.#beginning?.noteWithheld(number, segmentUid, lost.ms);
    const mayRepeat = number === undefined && this.#delivery.isCatchingUp;
    if (this.#delivery.hasBegun && !mayRepeat) this.#withheld.add(number, lost.ms);
  }

  /** Whether a fragment without a ContactId continues our run (daemon/kinesis/README.md). */
  #isOfOurRun(): boolean {
    const { isSuspect, segmentUid } = this.#fragment;
    return !isSuspect && this.#followsOurs && segmentUid !== undefined && segmentUid === this.#ourSegmentUid;
  }
}
