import { Argument, type Command } from 'commander';
import { commandTree } from '../docs/command-tree.ts';
import { bashCompletion } from '../docs/completion-bash.ts';
import type { Io } from '../io.ts';

/** integratorctl completion: a completion script for bash, made from the commands themselves. */
export function addCompletionCommand(program: Command, { stdout }: Io): void {
  program
    .command('completion')
    .description('write a completion script for the shell to standard output')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash']))
    .action(() => {
      stdout.write(bashCompletion(commandTree(program)));
    });
}
