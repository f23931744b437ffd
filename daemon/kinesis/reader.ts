import { setTimeout as sleep } from 'node:timers/promises';
import type { AudioBlock } from '../audio/pcm.ts';
import type { Clock, Millis } from '../clock.ts';
import { errorFields, type Log } from '../observe/log.ts';
import { Chunks, type MediaEnd } from './chunks.ts';
import type { Kinesis, Media } from './client.ts';
import { ContactFilter } from './contact-filter.ts';
import { Demuxer } from './demuxer.ts';
import { KinesisRefused } from './refusal.ts';

/** A call as its stream knows it. */
export interface Contact {
  readonly contactId: string;
  readonly streamArn: string;
  /** Connect's StartFragmentNumber: the call begins with the fragment after it. */
  readonly startFragmentNumber: string;
}

/** Why there is no more audio of the contact. */
export type EndOfContact = 'next-contact' | 'no-more-fragments' | 'stopped';

export interface ReaderOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the reading; what was read so far has been yielded. */
  readonly signal: AbortSignal;
  /** CALL_END_GRACE_MS: no fragment for this long, looked for at least twice, means that the call is over. */
  readonly callEndGraceMs: Millis;
}

/** kinesis-video.md: the service ends an idle body "after some seconds" by itself; past this the line is dead. */
const READ_STALL_MS: Millis = 10_000;
/** kinesis-video.md: an ended body is not an ended call, so at least two further looks decide. */
const LOOKS_BEFORE_END = 2;
/** The least time that a look is given to answer: the round trip and the first fragment. */
const SHORTEST_LOOK_MS: Millis = 500;
/** kinesis-video.md: 5 GetMedia per second and stream; the first retry is quick, the later ones leave room to others. */
const REOPEN_DELAYS_MS: readonly Millis[] = [0, 250, 500, 1000, 2000];
/** kinesis-video.md: without retention the last five minutes stay readable, so longer there is nothing to resume. */
const GIVE_UP_MS: Millis = 5 * 60_000;

/**
 * Yields the contact's audio blocks as they arrive, in stream order and each once, across as many GetMedia connections
 * as it takes, starting with `first`. Returns why it ended; throws KinesisRefused when the stream is no longer given.
 */
export async function* readContact(
  first: Media,
  contact: Contact,
  kinesis: Kinesis,
  { clock, log, signal, callEndGraceMs }: ReaderOptions,
): AsyncGenerator<readonly AudioBlock[], EndOfContact> {
  const filter = new ContactFilter(contact.contactId, (why, detail) => {
    log.warn({ event: 'kinesis.withheld', why, detail }, 'audio of the stream was not forwarded');
  });
  const stallMs = Math.min(READ_STALL_MS, callEndGraceMs / 2);
  let heardAtMs = clock.now();
  let looks = 0;
  let media = first;
  let patienceMs = stallMs;
  for (;;) {
    const chunks = new Chunks(media, patienceMs, signal);
    const demuxer = new Demuxer(filter);
    let heard = false;
    try {
      for (let chunk = await chunks.next(); chunk; chunk = await chunks.next()) {
        filter.nowMs = clock.now();
        demuxer.push(chunk);
        const blocks = filter.take();
        if (blocks.length > 0) {
          if (!heard) chunks.waitUpTo(stallMs);
          heard = true;
          heardAtMs = filter.nowMs;
          yield blocks;
        }
        if (filter.nextContactBegan) return 'next-contact';
      }
    } finally {
      chunks.close();
    }
    if (signal.aborted) return 'stopped';
    noteEnd(log, chunks.end, filter);
    filter.connectionEnded();
    looks = heard ? 0 : looks + 1;
    const graceLeftMs = callEndGraceMs - (clock.now() - heardAtMs);
    if (looks >= LOOKS_BEFORE_END && graceLeftMs <= 0) return 'no-more-fragments';
    patienceMs = Math.max(SHORTEST_LOOK_MS, graceLeftMs / Math.max(1, LOOKS_BEFORE_END - looks));
    const reopened = await reopen(looks);
    if (!reopened) return 'stopped';
    media = reopened;
  }

  /** Another GetMedia from where the contact stands; undefined when the reading was stopped meanwhile. */
  async function reopen(fruitless: number): Promise<Media | undefined> {
    const startedAtMs = clock.now();
    for (let attempt = fruitless; ; attempt++) {
      try {
        const delayMs = REOPEN_DELAYS_MS[Math.min(attempt, REOPEN_DELAYS_MS.length - 1)];
        await sleep(delayMs, undefined, { signal });
        const after = filter.position ?? { fragmentNumber: contact.startFragmentNumber };
        const opened = await kinesis.getMedia(contact.streamArn, after, signal);
        log.info(
          { event: 'kinesis.resumed', attempt, requestId: opened.requestId },
          'reads on after a connection ended',
        );
        return opened;
      } catch (error) {
        if (signal.aborted) return undefined;
        const passes = error instanceof KinesisRefused && error.retryable;
        if (!passes || clock.now() - startedAtMs > GIVE_UP_MS) throw error;
        log.warn({ event: 'kinesis.refused', attempt, ...errorFields(error) }, 'Kinesis refused to go on; tries again');
      }
    }
  }
}

function noteEnd(log: Log, end: MediaEnd | undefined, { errorCode }: ContactFilter): void {
  const cause = end?.how === 'broken' ? errorFields(end.cause) : {};
  log.debug({ event: 'kinesis.ended', how: end?.how, errorCode, ...cause }, 'a GetMedia connection ended');
}
