import type { Command } from 'commander';
import { API_VERSION, type Status } from '../../contract/control-api.ts';
import { VERSION } from '../../contract/version.ts';
import { DaemonNotRunning } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { printable } from '../output/printable.ts';

/** integratorctl version: after an update, the running daemon may still be the old one. */
export function addVersionCommand(program: Command, io: Io): void {
  program
    .command('version')
    .description('show the versions of integratorctl and of the running daemon')
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const status = await statusOrNotRunning(invocation);
      const integratord = status instanceof DaemonNotRunning ? null : status.version;
      invocation.show({ apiVersion: API_VERSION, integratorctl: VERSION, integratord }, () => [
        `integratorctl ${VERSION}`,
        `integratord   ${integratord === null ? 'not running' : printable(integratord)}`,
      ]);
      if (status instanceof DaemonNotRunning) throw status;
    });
}

async function statusOrNotRunning({ daemon }: Invocation): Promise<Status | DaemonNotRunning> {
  try {
    return await daemon.get<Status>('/v1/status');
  } catch (error) {
    if (error instanceof DaemonNotRunning) return error;
    throw error;
  }
}
