import { Argument, type Command } from 'commander';
import type { LevelOfLog } from '../../contract/control-api.ts';
import { LOG_LEVELS } from '../../contract/log-levels.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { printable } from '../output/printable.ts';

/** integratorctl log-level. */
export function addLogLevelCommand(program: Command, io: Io): void {
  program
    .command('log-level')
    .description("show the daemon's log level, or change it until the next start")
    .addArgument(new Argument('[level]', 'new level, for running sessions too').choices(LOG_LEVELS))
    .action(async (level: string | undefined, _options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const { daemon } = invocation;
      const path = '/v1/log-level';
      const response =
        level === undefined
          ? await daemon.get<LevelOfLog>(path)
          : await daemon.post<LevelOfLog>(path, { body: { level } });
      invocation.show(response, () => [sentence(response)]);
    });
}

function sentence({ level, configured }: LevelOfLog): string {
  const isChanged = level !== configured;
  const rest = isChanged ? ` until the next start; LOG_LEVEL is ${printable(configured)}` : '';
  return `the log level is ${printable(level)}${rest}`;
}
