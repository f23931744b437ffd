import type { Command } from 'commander';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { pairLines } from '../output/table.ts';

/** integratorctl config: the settings that the daemon runs with; it says of secrets only whether they are set. */
export function addConfigCommand(program: Command, io: Io): void {
  program
    .command('config')
    .description('show the settings that the daemon runs with; of secrets, whether they are set')
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const answer = await invocation.daemon.get<{ settings: Readonly<Record<string, unknown>> }>('/v1/config');
      invocation.show(answer, () => pairLines(Object.entries(answer.settings).map(shown), invocation.paint));
    });
}

function shown([name, value]: [string, unknown]): readonly [string, string] {
  return [name, typeof value === 'string' ? value : (JSON.stringify(value) ?? '')];
}
