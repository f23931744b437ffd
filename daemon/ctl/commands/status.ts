import type { Command } from 'commander';
import type { ResultsStatus, Status } from '../../contract/control-api.ts';
import { Refused } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { drainText } from '../output/drain-text.ts';
import { durationText } from '../output/durations.ts';
import { printable } from '../output/printable.ts';
import { type Pair, pairLines } from '../output/table.ts';

/** integratorctl status. */
export function addStatusCommand(program: Command, io: Io): void {
  program
    .command('status')
    .description('show whether the daemon accepts sessions, how many it has, any drain, and undelivered results')
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const status = await invocation.daemon.get<Status>('/v1/status');
      const results = await resultsOf(invocation);
      const all = { ...status, results };
      invocation.show(all, () => pairLines(pairs(all, io.clock.epoch()), invocation));
    });
}

/** What waits to be delivered; why that is not known when the place of dead letters fails. */
async function resultsOf({ daemon }: Invocation): Promise<ResultsStatus | { readonly fault: string }> {
  try {
    const { backlog, oldestAgeMs, deadLetters, place } = await daemon.get<ResultsStatus>('/v1/results');
    return { backlog, oldestAgeMs, deadLetters, place };
  } catch (error) {
    if (error instanceof Refused) return { fault: error.message };
    throw error;
  }
}

type All = Status & { readonly results: Awaited<ReturnType<typeof resultsOf>> };

function pairs(status: All, nowEpochMs: number): Pair[] {
  const { cordon, drain, lifecycle, lastHour } = status;
  const isIdle = status.sessions === 0;
  return [
    ['state', status.state, status.state === 'serving' ? 'green' : 'yellow'],
    ['sessions', `${status.sessions} of ${status.maxSessions}`],
    ['lag', isIdle ? undefined : `${durationText(status.lagMs)}, the largest of a running session`],
    [
      'gaps',
      isIdle ? undefined : `${durationText(status.gapMs)}, of the running sessions`,
      status.gapMs > 0 ? 'yellow' : undefined,
    ],
    ['last hour', lastHourText(lastHour), lastHour.failed > 0 ? 'yellow' : undefined],
    ['results', resultsText(status.results)],
    ['log level', status.logLevel],
    ['cordon', cordon && `since ${timeText(cordon.sinceEpochMs)}${cordon.reason ? `: ${cordon.reason}` : ''}`],
    ['drain', drain && `${drainText(drain, nowEpochMs)} (${drain.source}: ${drain.reason})`],
    ['daemon', `integratord ${status.version}, pid ${status.pid}, Node ${status.node}`],
    ['running', `${durationText(status.uptimeMs)}, since ${timeText(status.startedAtEpochMs)}`],
    ['region', status.region],
    ['Auto Scaling', lifecycleText(lifecycle)],
    ['checkpoints', status.checkpoints ? 'on' : 'off: a crash ends the sessions (STATE_DIR is not set)'],
    ['unsigned starts', status.unsignedStarts ? 'accepted from anyone (TRIGGER_SECRET is not set)' : 'refused'],
  ];
}

function resultsText(results: All['results']): string {
  if ('fault' in results) return printable(results.fault);
  const { backlog, oldestAgeMs, deadLetters } = results;
  const waiting = backlog > 0 ? `${backlog} events wait, the oldest for ${durationText(oldestAgeMs)}` : 'all delivered';
  return deadLetters > 0 ? `${waiting}; ${deadLetters} dead ${deadLetters === 1 ? 'letter' : 'letters'}` : waiting;
}

function lifecycleText({ on, instanceId, groupName, state }: Status['lifecycle']): string {
  if (!on) return 'off';
  return [instanceId, groupName && `of ${groupName}`, state && `is ${state}`].filter(Boolean).join(' ') || 'on';
}

function lastHourText({ ended, failed, gapMs }: Status['lastHour']): string {
  const gaps = gapMs > 0 ? `, ${durationText(gapMs)} of gaps` : '';
  return `${ended} ${ended === 1 ? 'session' : 'sessions'} ended, ${failed} failed${gaps}`;
}

function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
