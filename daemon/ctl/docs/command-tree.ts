import type { Argument, Command, Option } from 'commander';
import { DEFAULT_SESSIONS_COMMAND } from '../commands/session-list.ts';

/** A command, reduced to what its documentation needs. */
export interface CommandNode {
  /** The command's words after the program's name; none for the program itself. */
  readonly words: readonly string[];
  readonly description: string;
  readonly usage: string;
  readonly arguments: readonly Argument[];
  readonly options: readonly Option[];
  readonly children: readonly CommandNode[];
  /** The child that runs if none is named. */
  readonly byDefault: CommandNode | undefined;
}

/** `command` and its subcommands, without commander's own `help`. */
export function commandTree(command: Command, words: readonly string[] = []): CommandNode {
  const children = command.commands.map((each) => commandTree(each, [...words, each.name()]));
  const help = command.createHelp();
  return {
    words,
    description: command.description(),
    usage: command.usage(),
    arguments: command.registeredArguments,
    options: help.visibleOptions(command),
    children,
    byDefault: children.find((child) => child.words.at(-1) === DEFAULT_SESSIONS_COMMAND),
  };
}

/** The tree as a list, parents before children. */
export function flattened(node: CommandNode): CommandNode[] {
  return [node, ...node.children.flatMap(flattened)];
}

/** The options of the command itself, and of its default subcommand. */
export function ownOptions({ options, byDefault }: CommandNode): readonly Option[] {
  if (!byDefault) return options;
  return [...options, ...byDefault.options.filter(({ long }) => !options.some((each) => each.long === long))];
}
