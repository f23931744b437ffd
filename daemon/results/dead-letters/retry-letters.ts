import type { RetriedLetters } from '../../contract/control-api.ts';
import { errorFields, type Log } from '../../log/log.ts';
import { NotOpened } from '../../secrets/sealing.ts';
import type { Batch, Delivery, Sink } from '../sink.ts';
import type { SealedLetters } from './dead-letters.ts';
import { type DeadLetter, UnknownLetter } from './letter.ts';

interface RetryOptions {
  readonly letters: SealedLetters;
  readonly sinks: readonly Sink[];
  readonly log: Log;
}

/**
 * Delivers all dead letters again, oldest first, each under the id that it had, and removes those that arrive. A
 * destination that is down is not asked again for the rest of its letters; one that refuses a letter is. A letter that
 * cannot be read or removed costs no other. Throws what the bucket or the disk fails with when it is listed.
 */
export async function retryLetters({ letters, sinks, log }: RetryOptions): Promise<RetriedLetters> {
  const counts = { delivered: 0, left: 0, unreadable: 0, notRemoved: 0 };
  const failing = new Set<string>();
  for (const name of await letters.names()) {
    const letter = await letters.read(name).catch((error: unknown) => {
      counts[error instanceof NotOpened || error instanceof UnknownLetter ? 'unreadable' : 'left']++;
      const fields = { event: 'results.letter-unreadable', letter: name, ...errorFields(error) };
      log.warn(fields, 'cannot read a dead letter: it stays');
      return undefined;
    });
    if (!letter) continue;
    const destination = destinationOf(letter);
    const delivery = failing.has(destination) ? undefined : await deliver(letter, sinks);
    if (delivery?.name === 'delivered') {
      counts.delivered++;
      await letters.remove(name).catch((error: unknown) => {
        counts.notRemoved++;
        const fields = { event: 'results.letter-not-removed', letter: name, ...errorFields(error) };
        log.warn(fields, 'a dead letter was delivered and cannot be removed: the next retry delivers it again');
      });
      continue;
    }
    counts.left++;
    if (!delivery) continue;
    if (delivery.name === 'retry' && !delivery.isRefused) failing.add(destination);
    const { sessionId, contactId } = letter.batch.session;
    const fields = {
      event: 'results.not-retried',
      sessionId,
      contactId,
      batch: letter.batch.id,
      reason: delivery.error,
    };
    log.warn(fields, 'a dead letter was not delivered: it stays');
  }
  log.info({ event: 'results.retried', ...counts }, 'tried to deliver the dead letters again');
  return counts;
}

function destinationOf({ sink, batch }: DeadLetter): string {
  return `${sink} ${sink === 'webhook' ? (URL.parse(batch.session.webhook ?? '')?.host ?? '') : ''}`;
}

async function deliver({ sink: name, batch }: DeadLetter, sinks: readonly Sink[]): Promise<Delivery> {
  const sink = sinks.find((each) => each.name === name);
  if (!sink) return { name: 'retry', error: `no ${name} is configured` };
  return deliverParts(batch, sink);
}

/** A batch that is too large is delivered in halves. */
async function deliverParts(batch: Batch, sink: Sink): Promise<Delivery> {
  const { events } = batch;
  const half = Math.ceil(events.length / 2);
  const delivery: Delivery =
    events.length > sink.limits.events ? { name: 'too-large', error: '' } : await sink.deliver(batch);
  if (delivery.name !== 'too-large' || events.length === 1) return delivery;
  for (const part of [events.slice(0, half), events.slice(half)]) {
    const outcome = await deliverParts({ ...batch, id: partId(batch, part), events: part }, sink);
    if (outcome.name !== 'delivered') return outcome;
  }
  return { name: 'delivered' };
}

/** The part's webhook-id (README.md); one without a numbered event has the number that its letter begins with. */
function partId({ session, epoch, events: all }: Batch, events: Batch['events']): string {
  const numbersOf = (of: Batch['events']) => of.flatMap(({ sequence }) => sequence ?? []);
  const numbers = numbersOf(events);
  const range = numbers.length > 0 ? `${numbers[0]}-${numbers.at(-1)}` : `i${numbersOf(all)[0] ?? 0}`;
  return `${session.sessionId}_${epoch}_${range}`;
}
