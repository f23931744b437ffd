import type { Command } from 'commander';
import type { Status } from '../../contract/control-api.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { printable } from '../output/printable.ts';

type State = Pick<Status, 'state'>;

/** integratorctl cordon and uncordon: no new sessions, and sessions again; running ones never notice. */
export function addCordonCommands(program: Command, io: Io): void {
  program
    .command('cordon')
    .description('take no new sessions until uncordon; the running ones go on, and so does the daemon')
    .option('--reason <text>', "why, for the daemon's log and for status")
    .action(async ({ reason }: { reason?: string }, command: Command) => {
      const invocation = new Invocation(command, io);
      const body = reason === undefined ? {} : { reason };
      showState(invocation, await invocation.daemon.post<State>('/v1/cordon', { body }));
    });
  program
    .command('uncordon')
    .description('take new sessions again')
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      showState(invocation, await invocation.daemon.post<State>('/v1/uncordon', { body: {} }));
    });
}

function showState(invocation: Invocation, answer: State): void {
  invocation.show(answer, () => [`the daemon is ${printable(answer.state)}`]);
}
