import type { Option } from 'commander';
import { type CommandNode, flattened, ownOptions } from './command-tree.ts';

/** What can follow a command. */
interface Position {
  /** The command's words, each after a space, for a shell pattern: '' or ' sessions list'. */
  readonly at: string;
  readonly words: readonly string[];
  /** Whether ids of running sessions can follow. */
  readonly takesIds: boolean;
  /** The options that take a value. */
  readonly valued: readonly Option[];
}

/** A bash script that completes integratorctl's commands, options and their values. */
export function bashCompletion(tree: CommandNode): string {
  const positions = positionsOf(tree);
  const commands = positions.filter(({ at }) => at !== '').map(({ at }) => quoted(at));
  return `# bash completion for integratorctl: source it, or put it into /usr/share/bash-completion/completions/
_integratorctl() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at= words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${commands.join(' | ')}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at $prev" in
${positions.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${positions.map(wordCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _integratorctl integratorctl
`;
}

/** Every command of the tree with what can follow it; the program's own options can follow any of them. */
function positionsOf(tree: CommandNode): Position[] {
  return flattened(tree).map((node) => {
    const isProgram = node.words.length === 0;
    const inherited = isProgram ? [] : tree.options.filter(({ long }) => long !== '--version' && long !== '--help');
    const options = [...ownOptions(node), ...inherited];
    return {
      at: node.words.map((word) => ` ${word}`).join(''),
      words: [
        ...node.children.map(({ words }) => words.at(-1) ?? ''),
        ...node.arguments.flatMap(({ argChoices = [] }) => argChoices),
        ...options.map(({ long }) => long ?? ''),
      ],
      takesIds: node.arguments.some((argument) => argument.name() === 'id'),
      valued: options.filter(({ required }) => required),
    };
  });
}

function valueCases({ at, valued }: Position): string[] {
  return valued.map(({ long, argChoices }) => {
    const pattern = `    ${quoted(`${at} ${long}`)})`;
    if (long === '--socket') return `${pattern} COMPREPLY=($(compgen -f -- "$cur")); return ;;`;
    if (!argChoices) return `${pattern} return ;;`;
    return `${pattern} COMPREPLY=($(compgen -W ${quoted(argChoices.join(' '))} -- "$cur")); return ;;`;
  });
}

function wordCase({ at, words, takesIds }: Position): string {
  const ids = takesIds ? '" $(integratorctl sessions list --output name 2>/dev/null)"' : '';
  return `    ${quoted(at)}) words=${quoted(words.join(' '))}${ids} ;;`;
}

/** Text between single quotes, as bash reads it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
