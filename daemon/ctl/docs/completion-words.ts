import type { Option } from 'commander';
import { type CommandNode, flattened, ownOptions } from './command-tree.ts';

/** A word that may come next. */
export interface Suggestion {
  readonly word: string;
  readonly description: string;
}

/** What can follow a command. */
export interface Position {
  /** The command's words, each after a blank, which shell patterns can match: '' or ' sessions list'. */
  readonly at: string;
  readonly suggestions: readonly Suggestion[];
  /** The options whose value comes next after them. */
  readonly valued: readonly Option[];
}

/** Every command of the tree with what can follow it; the program's own options can follow any. */
export function positionsOf(tree: CommandNode): Position[] {
  return flattened(tree).map((node) => {
    const isProgram = node.words.length === 0;
    const inherited = isProgram ? [] : tree.options.filter(({ long }) => long !== '--version' && long !== '--help');
    const options = [...ownOptions(node), ...inherited];
    const children = node.children.map(({ words, description }) => ({ word: words.at(-1) ?? '', description }));
    const choices = node.arguments.flatMap(({ argChoices = [], description }) =>
      argChoices.map((word) => ({ word, description })),
    );
    const flags = options.map(({ long, description }) => ({ word: long ?? '', description }));
    return {
      at: node.words.map((word) => ` ${word}`).join(''),
      suggestions: [...children, ...choices, ...flags],
      valued: options.filter(({ required }) => required),
    };
  });
}

/** Text between single quotes, as bash and zsh read it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
