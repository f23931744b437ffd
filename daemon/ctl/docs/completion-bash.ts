import type { CommandNode } from './command-tree.ts';
import { type Position, positionsOf, quoted } from './completion-words.ts';

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

function valueCases({ at, valued }: Position): string[] {
  return valued.map(({ long, argChoices }) => {
    const pattern = `    ${quoted(`${at} ${long}`)})`;
    if (long === '--socket') return `${pattern} COMPREPLY=($(compgen -f -- "$cur")); return ;;`;
    if (!argChoices) return `${pattern} return ;;`;
    return `${pattern} COMPREPLY=($(compgen -W ${quoted(argChoices.join(' '))} -- "$cur")); return ;;`;
  });
}

function wordCase({ at, suggestions }: Position): string {
  return `    ${quoted(at)}) words=${quoted(suggestions.map(({ word }) => word).join(' '))} ;;`;
}
