import type { Command } from 'commander';
import type { CordonResponse } from '../../contract/control-api.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { printable } from '../output/printable.ts';
import { reasonOption } from './reason-option.ts';

/** integratorctl cordon and uncordon. */
export function addCordonCommands(program: Command, io: Io): void {
  program
    .command('cordon')
    .description('refuse new sessions until uncordon; running ones continue, and so does the daemon')
    .addOption(reasonOption())
    .action(async ({ reason }: { reason?: string }, command: Command) => {
      const invocation = new Invocation(command, io);
      const body = reason === undefined ? {} : { reason };
      showState(invocation, await invocation.daemon.post<CordonResponse>('/v1/cordon', { body }), 'is already');
    });
  program
    .command('uncordon')
    .description('accept new sessions again')
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const response = await invocation.daemon.post<CordonResponse>('/v1/uncordon', { body: {} });
      // It may be full, for example: that has not been ordered, and is no news.
      showState(invocation, response, 'was not cordoned, and is');
    });
}

/** @param ifUnchanged the verb when there was nothing to change */
function showState(invocation: Invocation, response: CordonResponse, ifUnchanged: string): void {
  const { state, unchanged } = response;
  invocation.show(response, () => [`the daemon ${unchanged ? ifUnchanged : 'is'} ${printable(state)}`]);
}
