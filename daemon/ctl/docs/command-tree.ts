import type { Argument, Command, Option } from 'commander';
import { DEFAULT_SESSIONS_COMMAND } from '../commands/session-list.ts';

/** A command as its documentation needs it. */
export interface CommandNode {
  /** Its words after the program's name; none for the program itself. */
  readonly words: readonly string[];
  readonly description: string;
  readonly usage: string;
  readonly arguments: readonly Argument[];
  readonly options: readonly Option[];
  readonly children: readonly CommandNode[];
  /** The one of the children that runs when none is named. */
  readonly byDefault: CommandNode | undefined;
}

/** The commands below and including `command`; without commander's own `help`, which --help makes up for. */
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

/** The options that the command takes itself: those of the command that runs when it is named alone, too. */
export function ownOptions({ options, byDefault }: CommandNode): readonly Option[] {
  if (!byDefault) return options;
  return [...options, ...byDefault.options.filter(({ long }) => !options.some((each) => each.long === long))];
}
