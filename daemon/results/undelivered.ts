import { type GapEvent, SPEAKERS, type Speaker } from '../contract/events.ts';
import type { QueuedEvent } from './event-queue.ts';
import type { Undelivered } from './spool/record.ts';

/** The fields that say which part of the call an event is about. */
interface About {
  readonly startMs?: number;
  readonly endMs?: number;
  readonly speaker?: Speaker;
  readonly channels?: readonly Speaker[];
  readonly sequences?: readonly number[];
}

/**
 * Adds events that a consumer did not get to those that the next gap event names.
 * @param epoch whose sequence numbers a later event can name
 */
export function undeliveredOf(
  events: readonly QueuedEvent[],
  epoch: number,
  before: Undelivered | undefined,
): Undelivered | undefined {
  const lost = events.filter(({ head }) => head !== undefined);
  if (lost.length === 0) return before;
  const abouts = lost.map(({ json }) => JSON.parse(json.toString()) as About);
  const sequences = new Set(before?.sequences);
  lost.forEach(({ head, epoch: ofEpoch }, index) => {
    if (ofEpoch !== epoch) return;
    sequences.add(head?.sequence as number);
    // A lost gap event names events that the consumer does not know about yet.
    for (const sequence of abouts[index]?.sequences ?? []) sequences.add(sequence);
  });
  const starts = [before?.startMs, ...abouts.map(({ startMs }) => startMs)].filter((ms) => ms !== undefined);
  const ends = [before?.endMs, ...abouts.map(({ endMs }) => endMs)].filter((ms) => ms !== undefined);
  const speakers = abouts.flatMap(({ speaker, channels = [] }) => (speaker ? [speaker] : channels));
  return {
    sequences: [...sequences].sort((one, other) => one - other),
    startMs: starts.length > 0 ? Math.min(...starts) : 0,
    endMs: ends.length > 0 ? Math.max(...ends) : 0,
    speakers: [...new Set([...(before?.speakers ?? []), ...speakers])],
  };
}

/** The gap event that names them. */
export function gapOf({ sequences, startMs, endMs, speakers }: Undelivered): GapEvent {
  const known = SPEAKERS.filter((speaker) => speakers.includes(speaker));
  // An event without a speaker, such as session.started, is about both.
  const channels = known.length > 0 ? known : [...SPEAKERS];
  const named = sequences.length > 0 ? { sequences: [...sequences] } : {};
  return { type: 'gap', startMs, endMs, cause: 'undelivered', channels, ...named };
}
