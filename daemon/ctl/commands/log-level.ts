import { Argument, type Command, Option } from 'commander';
import type { LevelOfLog } from '../../contract/control-api.ts';
import { LOG_LEVELS, type LogLevel } from '../../contract/log-levels.ts';
import { ORDER_LIMITS } from '../../contract/order-limits.ts';
import type { Millis } from '../../runtime/clock.ts';
import { usageError } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { durationUpTo } from '../output/durations.ts';
import { printable } from '../output/printable.ts';

/** Levels at which the log contains transcripts. */
const REVEALING: ReadonlySet<LogLevel> = new Set(['trace', 'debug']);

/** integratorctl log-level. */
export function addLogLevelCommand(program: Command, io: Io): void {
  program
    .command('log-level')
    .description("show the daemon's log level, or change it until the next start or for a time")
    .addArgument(new Argument('[level]', 'new level, for running sessions too').choices(LOG_LEVELS))
    .addOption(
      new Option('--for <duration>', 'return to LOG_LEVEL after this time, such as 10m; at most 24h').argParser(
        durationUpTo(ORDER_LIMITS.logLevelMs, { shortestMs: 1 }),
      ),
    )
    .action(async (level: LogLevel | undefined, { for: forMs }: { for?: Millis }, command: Command) => {
      const invocation = new Invocation(command, io);
      const { daemon } = invocation;
      if (level === undefined && forMs !== undefined) throw usageError('--for needs a level');
      const path = '/v1/log-level';
      const response =
        level === undefined
          ? await daemon.get<LevelOfLog>(path)
          : await daemon.post<LevelOfLog>(path, { body: forMs === undefined ? { level } : { level, forMs } });
      invocation.show(response, () => [sentence(response)]);
      if (level !== undefined && REVEALING.has(level))
        invocation.note(`${level} logs the transcripts that come back to the daemon: end it with log-level info`);
    });
}

function sentence({ level, configured, untilEpochMs }: LevelOfLog): string {
  const until = untilEpochMs === undefined ? 'the next start' : new Date(untilEpochMs).toISOString();
  const isChanged = level !== configured || untilEpochMs !== undefined;
  const rest = isChanged ? ` until ${until}; LOG_LEVEL is ${printable(configured)}` : '';
  return `the log level is ${printable(level)}${rest}`;
}
