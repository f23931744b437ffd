import { type Command, Option } from 'commander';
import {
  type Answer,
  API_VERSION,
  type DrainRequest,
  type DrainView,
  type Status,
} from '../../contract/control-api.ts';
import type { Millis } from '../../runtime/clock.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure, Interrupted, OutputClosed, Refused } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { drainText } from '../output/drain-text.ts';
import { durationText, parseDuration } from '../output/durations.ts';
import { ProgressLine } from '../output/progress-line.ts';
import { watchDrain } from './drain-watch.ts';

interface DrainOptions {
  /** false: --no-deadline. */
  readonly deadline?: Millis | false;
  readonly detach?: boolean;
  readonly cancel?: boolean;
  readonly reason?: string;
}

type DrainAnswer = Answer<{ drain: DrainView }>;

/** integratorctl drain: no new sessions, the running ones go on to their end, then the daemon exits. */
export function addDrainCommand(program: Command, io: Io): void {
  program
    .command('drain')
    .description(
      'take no new sessions, let the running ones end, then let the daemon exit; again: watch the same drain',
    )
    .addOption(
      new Option('--deadline <duration>', 'end what still runs after so long: 90s, 1h, 1h30m').argParser(parseDuration),
    )
    .option('--no-deadline', 'wait for every call, however long it takes')
    .option('--detach', 'do not wait for the end')
    .option('--reason <text>', "why, for the daemon's log and for status")
    .addOption(
      new Option('--cancel', 'call the drain off and take sessions again').conflicts(['deadline', 'detach', 'reason']),
    )
    .action(async (options: DrainOptions, command: Command) => {
      const invocation = new Invocation(command, io);
      if (options.cancel) await cancel(invocation);
      else if (options.detach) showDetached(invocation, await order(invocation, options));
      else await attach(invocation, await order(invocation, options));
    });
}

async function cancel(invocation: Invocation): Promise<void> {
  const answer = await invocation.daemon.delete<Pick<Status, 'state'>>('/v1/drain');
  invocation.show(answer, () => [`the drain is called off; the daemon is ${answer.state}`]);
}

/** Orders a drain. One that is under way is joined as it is, unless a deadline is given: that is changed. */
async function order(invocation: Invocation, { deadline, reason }: DrainOptions): Promise<DrainAnswer> {
  const running = await drainUnderWay(invocation);
  if (running && deadline === undefined) {
    const { source, sinceEpochMs, reason: why } = running.drain;
    const age = durationText(Math.max(0, invocation.io.clock.epoch() - sinceEpochMs));
    const kept = reason === undefined ? '' : '; its reason stays as it is';
    invocation.tell(`attached to the drain that has been under way for ${age} (${source}: ${why})${kept}`);
    return running;
  }
  const body: DrainRequest = {
    ...(deadline === undefined ? {} : { deadlineMs: deadline === false ? null : deadline }),
    ...(reason === undefined ? {} : { reason }),
  };
  return invocation.daemon.post('/v1/drain', { body });
}

async function drainUnderWay({ daemon }: Invocation): Promise<DrainAnswer | undefined> {
  try {
    return await daemon.get('/v1/drain');
  } catch (error) {
    if (error instanceof Refused && error.reason === 'not-draining') return undefined;
    throw error;
  }
}

function showDetached(invocation: Invocation, answer: DrainAnswer): void {
  invocation.show(answer, () => [drainText(answer.drain, invocation.io.clock.epoch())]);
}

async function attach(invocation: Invocation, { drain: first }: DrainAnswer): Promise<void> {
  const { io, json } = invocation;
  const progress = new ProgressLine(json ? io.stderr : io.stdout);
  try {
    const { drain, cutSessions } = await watchDrain(invocation, first, progress);
    progress.clear();
    invocation.show({ apiVersion: API_VERSION, drain }, () => [drainText(drain, io.clock.epoch())]);
    if (cutSessions > 0) throw deadlinePassed(cutSessions);
  } catch (error) {
    progress.clear();
    throw error instanceof Interrupted || error instanceof OutputClosed ? detached(error) : error;
  }
}

function deadlinePassed(cutSessions: number): Failure {
  const sessions = cutSessions === 1 ? '1 session was' : `${cutSessions} sessions were`;
  const what = `the deadline passed and ${sessions} ended by it`;
  return new Failure(`${what}; see: journalctl -u integratord`, EXIT.deadlinePassed);
}

function detached(cause: Error): Failure {
  const how = '`integratorctl drain` attaches again, `integratorctl drain --cancel` calls it off';
  return new Failure(`detached, the drain goes on; ${how}`, EXIT.interrupted, { cause });
}
