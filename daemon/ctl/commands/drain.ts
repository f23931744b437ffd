import { type Command, Option } from 'commander';
import {
  API_VERSION,
  type DrainRequest,
  type DrainView,
  type ResultsStatus,
  type Status,
  type Versioned,
} from '../../contract/control-api.ts';
import { ORDER_LIMITS } from '../../contract/order-limits.ts';
import type { Millis } from '../../runtime/clock.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure, Interrupted, OutputClosed, Refused } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { drainText } from '../output/drain-text.ts';
import { durationText, durationUpTo } from '../output/durations.ts';
import { ProgressLine } from '../output/progress-line.ts';
import { watchDrain } from './drain-watch.ts';
import { reasonOption } from './reason-option.ts';

interface DrainOptions {
  /** false: --no-deadline. */
  readonly deadline?: Millis | false;
  readonly detach?: boolean;
  readonly cancel?: boolean;
  readonly reason?: string;
}

type DrainResponse = Versioned<{ drain: DrainView }>;

/** integratorctl drain. */
export function addDrainCommand(program: Command, io: Io): void {
  program
    .command('drain')
    .description(
      'refuse new sessions, wait for the running ones to end, then exit the daemon; attaches to a running drain',
    )
    .addOption(
      new Option(
        '--deadline <duration>',
        'end remaining sessions after this time, such as 90s or 1h30m; at most 48h',
      ).argParser(durationUpTo(ORDER_LIMITS.drainDeadlineMs)),
    )
    .option('--no-deadline', 'wait for every call to end, however long that takes')
    .option('--detach', 'return at once instead of waiting for the end')
    .addOption(reasonOption())
    .addOption(
      new Option('--cancel', 'cancel the drain and accept sessions again').conflicts(['deadline', 'detach', 'reason']),
    )
    .action(async (options: DrainOptions, command: Command) => {
      const invocation = new Invocation(command, io);
      if (options.cancel) await cancel(invocation);
      else if (options.detach) showDetached(invocation, await order(invocation, options));
      else await attach(invocation, await order(invocation, options));
    });
}

async function cancel(invocation: Invocation): Promise<void> {
  const response = await invocation.daemon.delete<Pick<Status, 'state'>>('/v1/drain');
  invocation.show(response, () => [`drain canceled; the daemon is ${response.state}`]);
}

/** Starts a drain, or attaches to the running one; a deadline that is given replaces the running one's. */
async function order(invocation: Invocation, { deadline, reason }: DrainOptions): Promise<DrainResponse> {
  const running = await runningDrain(invocation);
  if (running && deadline === undefined) {
    const { source, sinceEpochMs, reason: why } = running.drain;
    const age = durationText(Math.max(0, invocation.io.clock.epoch() - sinceEpochMs));
    const kept = reason === undefined ? '' : '; its reason does not change';
    invocation.note(`attached to the drain that started ${age} ago (${source}: ${why})${kept}`);
    return running;
  }
  const body: DrainRequest = {
    ...(deadline === undefined ? {} : { deadlineMs: deadline === false ? null : deadline }),
    ...(reason === undefined ? {} : { reason }),
  };
  return invocation.daemon.post('/v1/drain', { body });
}

async function runningDrain({ daemon }: Invocation): Promise<DrainResponse | undefined> {
  try {
    return await daemon.get('/v1/drain');
  } catch (error) {
    if (error instanceof Refused && error.reason === 'not-draining') return undefined;
    throw error;
  }
}

function showDetached(invocation: Invocation, response: DrainResponse): void {
  invocation.show(response, () => [drainText(response.drain, invocation.io.clock.epoch())]);
}

async function attach(invocation: Invocation, { drain: first }: DrainResponse): Promise<void> {
  const { io, json } = invocation;
  const progress = new ProgressLine(json ? io.stderr : io.stdout);
  try {
    const { drain, cutSessions } = await watchDrain(invocation, first, progress);
    progress.clear();
    invocation.show({ apiVersion: API_VERSION, drain }, () => [drainText(drain, io.clock.epoch())]);
    await noteUndelivered(invocation);
    if (cutSessions > 0) throw deadlinePassed(cutSessions);
  } catch (error) {
    progress.clear();
    throw error instanceof Interrupted || error instanceof OutputClosed ? detached(error) : error;
  }
}

/** Says why the daemon still runs: consumers have not accepted all results yet. */
async function noteUndelivered(invocation: Invocation): Promise<void> {
  const backlog = await invocation.daemon.get<ResultsStatus>('/v1/results').then(
    (results) => results.backlog,
    // It has exited.
    () => 0,
  );
  if (backlog === 0) return;
  const events = backlog === 1 ? '1 event' : `${backlog} events`;
  invocation.note(`the daemon exits when ${events} are delivered or given up; see: integratorctl results`);
}

function deadlinePassed(cutSessions: number): Failure {
  const sessions = cutSessions === 1 ? '1 session' : `${cutSessions} sessions`;
  const what = `the deadline passed and ended ${sessions}`;
  return new Failure(`${what}; see: journalctl -u integratord`, EXIT.deadlinePassed);
}

function detached(cause: Error): Failure {
  const how = '`integratorctl drain` attaches again, `integratorctl drain --cancel` cancels it';
  return new Failure(`detached, the drain continues; ${how}`, EXIT.interrupted, { cause });
}
