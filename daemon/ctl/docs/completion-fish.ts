import type { Option } from 'commander';
import type { CommandNode } from './command-tree.ts';
import { type Position, positionsOf } from './completion-words.ts';

/** A fish script that completes integratorctl's commands, options and their values. */
export function fishCompletion(tree: CommandNode): string {
  const positions = positionsOf(tree);
  const commands = positions.filter(({ at }) => at !== '').map(({ at }) => quoted(at.trim()));
  return `# fish completion for integratorctl: put it into ~/.config/fish/completions/integratorctl.fish
function __integratorctl_at
    set -l at
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        set -l next $at $word
        if contains -- "$next" ${commands.join(' ')}
            set at $next
        end
    end
    test "$at" = "$argv[1]"
end
complete -c integratorctl -f
${positions.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ at, suggestions, valued }: Position): string[] {
  const here = `complete -c integratorctl -n ${quoted(`__integratorctl_at "${at.trim()}"`)}`;
  return suggestions.map(({ word, description }) => {
    const note = `-d ${quoted(description)}`;
    if (!word.startsWith('--')) return `${here} -a ${word} ${note}`;
    const option = valued.find(({ long }) => long === word);
    return `${here} -l ${word.slice(2)}${option ? valueFlags(option) : ''} ${note}`;
  });
}

function valueFlags({ long, argChoices }: Option): string {
  if (long === '--socket') return ' -r -F';
  return argChoices ? ` -x -a ${quoted(argChoices.join(' '))}` : ' -x';
}

/** Text between single quotes, as fish reads it. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
