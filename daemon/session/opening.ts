import { sessionParams } from '../contract/deepgram-params.ts';
import { Link } from '../deepgram/link.ts';
import { logResult } from '../deepgram/results.ts';
import { openSocket } from '../deepgram/socket.ts';
import type { Media } from '../kinesis/media-source.ts';
import type { Log } from '../log/log.ts';
import type { SessionDeps } from './deps.ts';
import { identityOf, type SessionSeed, startingPointOf } from './seed.ts';
import { Transcript } from './transcript.ts';

/** Both open ends of a session. */
export interface Opened {
  readonly media: Media;
  readonly link: Link;
  /** Undefined if the session's events go nowhere. */
  readonly transcript: Transcript | undefined;
}

/**
 * Opens the stream and the line to Deepgram in parallel: resolves once Kinesis has answered and Deepgram's socket is
 * open. Throws KinesisRefused, DeepgramRefused, DeepgramUnreachable or the signal's reason, and then leaves nothing open.
 */
export async function openBoth(
  seed: SessionSeed,
  { kinesis, deepgram, clock, timers, random, metrics, settings, results }: SessionDeps,
  log: Log,
  signal: AbortSignal,
): Promise<Opened> {
  const { request, timeZeroEpochMs } = identityOf(seed);
  const { position, callMs, connections } = startingPointOf(seed);
  const params = sessionParams(request.dgParams, timeZeroEpochMs);
  const logged = logResult(log);
  let transcript: Transcript | undefined;
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const opening = [
    kinesis.getMedia(request.kvsStream.arn, position, both),
    Link.open((...connection) => openSocket(deepgram, ...connection), params, both, {
      timers,
      log,
      metrics,
      random,
      replayMs: settings.replayMs,
      giveUpMs: settings.deepgramGiveUpMs,
      callMs,
      connections,
      startedAtMs:
        request.kvsStream.startTimestamp === undefined ? undefined : timers.now() - (clock.epoch() - timeZeroEpochMs),
      onMessage(message, offsetMs, connection, sentMs) {
        logged(message, offsetMs);
        transcript?.take(message, offsetMs, connection, sentMs);
      },
    }),
  ] as const;
  try {
    const [media, link] = await Promise.all(opening);
    // Only now is it certain that the session starts. Deepgram returns nothing before it has audio.
    transcript = results && (await Transcript.open(seed, results, log));
    if (transcript && request.dgParams['callback'] === undefined) link.relayResults(transcript);
    return { media, link, transcript };
  } catch (error) {
    failed.abort();
    const [media, link] = await Promise.allSettled(opening);
    if (media.status === 'fulfilled') media.value.close();
    if (link.status === 'fulfilled') link.value.abandon();
    signal.throwIfAborted();
    throw error;
  }
}
