import type { CommandNode } from './command-tree.ts';
import { type Position, positionsOf, quoted } from './completion-words.ts';

/** A zsh script that completes integratorctl's commands, options and their values. */
export function zshCompletion(tree: CommandNode): string {
  const positions = positionsOf(tree);
  const commands = positions.filter(({ at }) => at !== '').map(({ at }) => quoted(at));
  return `#compdef integratorctl
# zsh completion for integratorctl: source it after compinit, or put it as _integratorctl into a directory of $fpath
_integratorctl() {
  local at= word previous=\${words[CURRENT - 1]}
  local -a choices
  for word in \${words[2,CURRENT - 1]}; do
    case "$at $word" in
      ${commands.join(' | ')}) at="$at $word" ;;
    esac
  done
  case "$at $previous" in
${positions.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${positions.map(wordCase).join('\n')}
  esac
  _describe integratorctl choices
}
if [[ $funcstack[1] == _integratorctl ]]; then
  _integratorctl "$@"
else
  compdef _integratorctl integratorctl
fi
`;
}

function valueCases({ at, valued }: Position): string[] {
  return valued.map(({ long, argChoices }) => {
    const pattern = `    ${quoted(`${at} ${long}`)})`;
    if (long === '--socket') return `${pattern} _files; return ;;`;
    if (!argChoices) return `${pattern} return ;;`;
    return `${pattern} choices=(${argChoices.map(quoted).join(' ')}); _describe value choices; return ;;`;
  });
}

function wordCase({ at, suggestions }: Position): string {
  // _describe takes what stands before the first colon for the word.
  const described = suggestions.map(({ word, description }) => quoted(`${word}:${description}`));
  return `    ${quoted(at)})\n      choices=(\n        ${described.join('\n        ')}\n      ) ;;`;
}
