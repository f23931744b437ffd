/** A command's words, without redirections and assignments. */
export type Command = readonly string[];

/** Words that a shell's grammar puts before a command. */
const KEYWORDS = new Set(['do', 'then', 'else', 'if', 'while', '!', '{']);
/** Words that begin or end a part that is no command of its own. */
const NO_COMMAND = new Set(['for', 'done', 'fi', '}', '{']);
const ASSIGNMENT = /^[A-Z_]+=/;
/** In order: comment, continued line, operator, redirection, then the parts of a word. */
const TOKENS =
  /(?<comment>(?<![^\s])#[^\n]*)|(?<blank>\\\n|[ \t]+)|(?<end>&&|\|\||[;|&\n])|(?<redirection>\d?[<>]{1,2}[ \t]*[^\s;|&]+)|(?<part>'[^']*'|"(?:\\.|\$\([^)]*\)|[^"\\])*"|\$\((?:[^()]|\([^()]*\))*\)|\\.|[^\s;|&'"\\])/gs;

/** The commands of a shell script as documents show it, with those in `$( )`. Not a whole shell: no functions, no
 *  here-documents. */
export function commandsIn(script: string): Command[] {
  const commands: string[][] = [[]];
  const nested: Command[] = [];
  let isInWord = false;
  for (const { groups = {} } of `${script}\n`.matchAll(TOKENS)) {
    const { blank, end, part } = groups;
    const words = commands.at(-1) as string[];
    if (part === undefined) {
      isInWord = false;
      if (end !== undefined) commands.push([]);
      if (blank === undefined) continue;
    } else {
      nested.push(...substitutedIn(part));
      if (isInWord) words[words.length - 1] += unquoted(part);
      else words.push(unquoted(part));
      isInWord = true;
    }
  }
  return [...commands.map(withoutPrefix).filter((words) => words.length > 0), ...nested];
}

function substitutedIn(part: string): Command[] {
  if (part.startsWith("'")) return [];
  return [...part.matchAll(/\$\(((?:[^()]|\([^()]*\))*)\)/g)].flatMap(([, script]) => commandsIn(script as string));
}

function unquoted(part: string): string {
  if (/^['"]/.test(part)) return part.slice(1, -1);
  return part.startsWith('\\') ? part.slice(1) : part;
}

function withoutPrefix(words: readonly string[]): Command {
  const first = words.findIndex((word) => !ASSIGNMENT.test(word) && !KEYWORDS.has(word));
  const command = first < 0 ? [] : words.slice(first);
  return NO_COMMAND.has(command[0] ?? '') ? [] : command;
}
