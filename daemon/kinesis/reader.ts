import { setTimeout as sleep } from 'node:timers/promises';
import type { AudioBlock } from '../audio/pcm.ts';
import { errorFields, type Log } from '../log/log.ts';
import { Demuxer } from '../matroska/demuxer.ts';
import type { HoleCause, SessionMetrics } from '../metrics/session-metrics.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import { Chunks } from './chunks.ts';
import type { Contact, Position } from './contact.ts';
import { ContactFilter } from './filter/contact-filter.ts';
import type { Media, MediaSource, Start } from './media-source.ts';
import { KinesisRefused } from './refusal.ts';
import { Rotation } from './rotation.ts';

/** Why there is no more audio of the contact. */
export type EndOfContact = 'next-contact' | 'no-more-fragments' | 'stopped';

/** The settings of the same names (README.md). */
export interface ReaderSettings {
  /** No fragment for this long, looked for at least twice, means that the call is over. */
  readonly callEndGraceMs: Millis;
  /** A connection that gives nothing for this long is replaced. */
  readonly readStallMs: Millis;
  /** A connection this old gets a successor before the service ends it. */
  readonly rotateAfterMs: Millis;
}

export interface ReaderOptions {
  /**
   * Takes what may be forwarded, in stream order and each block once, valid until it returns or its promise resolves,
   * and up to where the contact has been had in whole. A promise holds the stream back until it resolves.
   */
  readonly forward: (blocks: readonly AudioBlock[], position: Position | undefined) => Promise<void> | undefined;
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly log: Log;
  readonly metrics: SessionMetrics;
  /** Something was reported that may cost audio: what will be missing next is missing because of it. */
  readonly onTrouble: (cause: HoleCause) => void;
  /** Ends the reading; what was read so far has been forwarded. */
  readonly signal: AbortSignal;
  readonly settings: ReaderSettings;
}

/** daemon/kinesis/README.md: an ended body is not an ended call, so at least two further looks decide. */
const LOOKS_BEFORE_END = 2;
/** The least time that a look is given to answer: the round trip and the first fragment. */
const SHORTEST_LOOK_MS: Millis = 500;
/** daemon/kinesis/README.md: 5 GetMedia per second and stream; the first retry is quick, the later ones leave room to others. */
const REOPEN_DELAYS_MS: readonly Millis[] = [0, 250, 500, 1000, 2000];
/** daemon/kinesis/README.md: without retention the last five minutes stay readable, so longer there is nothing to resume. */
const GIVE_UP_MS: Millis = 5 * 60_000;
/** How far before the start a reading begins whose first fragment is gone: clocks differ, and blocks have lengths. */
const START_MARGIN_MS: Millis = 10_000;

/**
 * Forwards the contact's audio as it arrives, across as many GetMedia connections as it takes, starting with `first`.
 * Gives why it ended; throws KinesisRefused when the stream is no longer given, and what `forward` throws.
 */
export async function readContact(
  first: Media,
  contact: Contact,
  kinesis: MediaSource,
  { forward, clock, timers, log, metrics, onTrouble, signal, settings }: ReaderOptions,
): Promise<EndOfContact> {
  const { callEndGraceMs, rotateAfterMs } = settings;
  const filter = new ContactFilter(contact, (why, detail) => {
    log.warn({ event: 'kinesis.withheld', why, detail }, 'audio of the stream was not forwarded');
    onTrouble(why);
  });
  const open = (from: Start, abort: AbortSignal) =>
    kinesis.getMedia(contact.streamArn, from, AbortSignal.any([abort, AbortSignal.timeout(settings.readStallMs)]));
  const startedAtMs = clock.epoch();
  const stallMs = Math.min(settings.readStallMs, callEndGraceMs / 2);
  let heardAtMs = clock.now();
  let looks = 0;
  let media = first;
  let patienceMs = stallMs;
  for (;;) {
    const chunks = new Chunks(media, patienceMs, timers, signal);
    const demuxer = new Demuxer(filter);
    const rotation = new Rotation((abort) => open(filter.position ?? contact.start, abort), {
      clock,
      log,
      metrics,
      rotateAfterMs,
    });
    let heard = false;
    let isGivenUp = false;
    let listeningSinceMs = clock.now();
    let next: Media | undefined;
    try {
      let chunk = await chunks.next();
      while (chunk) {
        const { foreignFragments } = filter;
        filter.nowMs = clock.now();
        metrics.kinesisBytes += chunk.length;
        demuxer.push(chunk);
        if (filter.behindNowMs !== undefined) metrics.behindNow(filter.behindNowMs);
        filter.behindNowMs = undefined;
        const blocks = filter.take();
        if (blocks.length > 0) {
          if (!heard) {
            chunks.waitUpTo(stallMs);
            patienceMs = stallMs;
          }
          heard = true;
          heardAtMs = filter.nowMs;
          const free = forward(blocks, filter.position);
          if (free) await chunks.holdUntil(free);
          // What is kept while the next bytes are waited for is what the garbage collector copies.
          blocks.length = 0;
          // Back-pressure may have held us for long; that is no silence of the stream.
          listeningSinceMs = clock.now();
        }
        if (filter.nextContactBegan) return 'next-contact';
        // Fragments that are nobody's may flow for ever: a connection that brings only those gives nothing, as an idle one.
        isGivenUp = filter.foreignFragments > foreignFragments && filter.nowMs - listeningSinceMs > patienceMs;
        next = rotation.takeOver(filter.isBetweenFragments);
        chunk = next || isGivenUp ? undefined : await chunks.next();
      }
      next ??= await rotation.afterEnd();
    } finally {
      chunks.close();
      rotation.close(next);
    }
    if (signal.aborted) {
      next?.close();
      return 'stopped';
    }
    if (!next) {
      const { end } = chunks;
      const cause = end.how === 'broken' ? errorFields(end.cause) : {};
      const how = isGivenUp ? 'foreignFragments' : end.how;
      const fields = { event: 'kinesis.ended', how, requestId: media.requestId, ...cause };
      log.debug(fields, 'a GetMedia connection ended');
    }
    const streamError = filter.connectionEnded();
    looks = heard || next ? 0 : looks + 1;
    const graceLeftMs = callEndGraceMs - (clock.now() - heardAtMs);
    if (looks >= LOOKS_BEFORE_END && graceLeftMs <= 0) return 'no-more-fragments';
    patienceMs = next ? stallMs : Math.max(SHORTEST_LOOK_MS, graceLeftMs / Math.max(1, LOOKS_BEFORE_END - looks));
    const reopened = next ?? (await reopen(looks, streamError));
    if (!reopened) return 'stopped';
    media = reopened;
  }

  /** Another GetMedia from where the contact stands; undefined when the reading was stopped meanwhile. */
  async function reopen(fruitless: number, streamError: KinesisRefused | undefined): Promise<Media | undefined> {
    if (streamError && !streamError.retryable) throw streamError;
    const from = streamError?.isFragmentGone ? moment() : (filter.position ?? contact.start);
    const sinceMs = clock.now();
    for (let attempt = fruitless; ; attempt++) {
      try {
        const delayMs = REOPEN_DELAYS_MS[Math.min(attempt, REOPEN_DELAYS_MS.length - 1)];
        await sleep(delayMs, undefined, { signal });
        const opened = await open(from, signal);
        metrics.resumes++;
        log.info(
          { event: 'kinesis.resumed', attempt, requestId: opened.requestId },
          'reads on after a connection ended',
        );
        return opened;
      } catch (error) {
        if (signal.aborted) return undefined;
        const passes = error instanceof KinesisRefused && error.retryable;
        if (!passes || clock.now() - sinceMs > GIVE_UP_MS) throw error;
        log.warn({ event: 'kinesis.refused', attempt, ...errorFields(error) }, 'Kinesis refused to go on; tries again');
      }
    }
  }

  /** When the contact was last heard: what is left of the stream from then on is all that there is. */
  function moment(): Start {
    const atEpochMs = filter.position?.producerEpochMs ?? startedAtMs - START_MARGIN_MS;
    onTrouble('fragment-gone');
    log.warn(
      { event: 'kinesis.fragment-gone', atEpochMs },
      'the stream no longer has the next fragment: goes on by time',
    );
    return { atEpochMs };
  }
}
