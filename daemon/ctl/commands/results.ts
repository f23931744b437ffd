import type { Command } from 'commander';
import type { ResultsStatus, RetriedLetters } from '../../contract/control-api.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { durationText } from '../output/durations.ts';
import { printable } from '../output/printable.ts';
import { pairLines } from '../output/table.ts';

/** integratorctl results. */
export function addResultsCommands(program: Command, io: Io): void {
  const results = program.command('results').description('show (default) undelivered results, or deliver them again');
  results
    .command('status', { isDefault: true })
    .description('show how many events wait to be delivered, for how long, and how many dead letters there are')
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const status = await invocation.daemon.get<ResultsStatus>('/v1/results');
      invocation.show(status, () => pairLines(pairs(status), invocation));
    });
  results
    .command('retry')
    .description('deliver the dead letters again, and remove those that arrive; waits for the outcome')
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const options = { body: {}, timeoutMs: Number.POSITIVE_INFINITY };
      const retried = await invocation.daemon.post<RetriedLetters>('/v1/results/retry', options);
      invocation.show(retried, () => [`delivered ${lettersText(retried.delivered)}`]);
      const faults = faultsOf(retried);
      if (faults.length > 0) throw new Failure(`${faults.join(', ')}; see the log of integratord`, EXIT.failure);
    });
}

function pairs({ backlog, oldestAgeMs, deadLetters, place }: ResultsStatus): (readonly [string, string])[] {
  const age = backlog > 0 ? `, the oldest for ${durationText(oldestAgeMs)}` : '';
  return [
    ['undelivered events', `${backlog}${age}`],
    [
      'dead letters',
      place === undefined ? 'not kept (RESULTS_DEAD_LETTERS, STATE_DIR)' : `${deadLetters} in ${printable(place)}`,
    ],
  ];
}

function faultsOf({ left, unreadable, notRemoved }: RetriedLetters): string[] {
  const faults: string[] = [];
  if (left > 0) faults.push(`${lettersText(left)} not delivered`);
  if (unreadable > 0) faults.push(`${lettersText(unreadable)} cannot be opened: is STATE_KEY the right one?`);
  if (notRemoved > 0) faults.push(`${lettersText(notRemoved)} delivered but not removed`);
  return faults;
}

function lettersText(count: number): string {
  return `${count} dead ${count === 1 ? 'letter' : 'letters'}`;
}
