import type { Command } from 'commander';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { pairLines } from '../output/table.ts';

/** integratorctl config; the daemon reports of secrets only whether they are set. */
export function addConfigCommand(program: Command, io: Io): void {
  program
    .command('config')
    .description("show the daemon's settings; of secrets, only whether they are set")
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const response = await invocation.daemon.get<{ settings: Readonly<Record<string, unknown>> }>('/v1/config');
      invocation.show(response, () => pairLines(Object.entries(response.settings).map(shown), invocation.paint));
    });
}

function shown([name, value]: [string, unknown]): readonly [string, string] {
  return [name, typeof value === 'string' ? value : (JSON.stringify(value) ?? '')];
}
