import type { Command } from 'commander';
import { API_VERSION, type Status } from '../../contract/control-api.ts';
import { VERSION } from '../../contract/version.ts';
import { DaemonNotRunning } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { printable } from '../output/printable.ts';

/** integratorctl version: its own, and that of the daemon that runs, which an update may have left behind. */
export function addVersionCommand(program: Command, io: Io): void {
  program
    .command('version')
    .description('show the version of integratorctl and of the daemon that runs')
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const status = await statusOrTrouble(invocation);
      const integratord = status instanceof DaemonNotRunning ? null : status.version;
      invocation.show({ apiVersion: API_VERSION, integratorctl: VERSION, integratord }, () => [
        `integratorctl ${VERSION}`,
        `integratord   ${integratord === null ? 'not running' : printable(integratord)}`,
      ]);
      if (status instanceof DaemonNotRunning) throw status;
    });
}

async function statusOrTrouble({ daemon }: Invocation): Promise<Status | DaemonNotRunning> {
  try {
    return await daemon.get<Status>('/v1/status');
  } catch (error) {
    if (error instanceof DaemonNotRunning) return error;
    throw error;
  }
}
