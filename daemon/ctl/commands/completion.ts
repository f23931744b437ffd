import { Argument, type Command } from 'commander';
import { commandTree } from '../docs/command-tree.ts';
import { bashCompletion } from '../docs/completion-bash.ts';
import { fishCompletion } from '../docs/completion-fish.ts';
import { zshCompletion } from '../docs/completion-zsh.ts';
import type { Io } from '../io.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** integratorctl completion: a script for the shell, made from the commands themselves. */
export function addCompletionCommand(program: Command, { stdout }: Io): void {
  program
    .command('completion')
    .description('write a completion script for the shell on standard output, to be sourced or installed')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) => {
      stdout.write(SCRIPTS[shell](commandTree(program)));
    });
}
