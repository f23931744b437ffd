import { globSync, readFileSync } from 'node:fs';
import { type Command, commandsIn } from './shell-commands.ts';

/** A command that a document shows. */
interface DocumentedCommand {
  /** File and line. */
  readonly place: string;
  readonly words: Command;
}

/** In prose, code that begins with one of these and a space is a command. */
const NAMED_IN_PROSE = /^(?:npm|npx|node|integratorctl|aws|packer|journalctl|systemctl|apt-get|ssh|curl) \S/;
const FENCE = /^ *```(?<language>\w*)$/;

/** Every document of the repository, except CHANGELOG.md, which also names removed commands. */
export function documents(): string[] {
  const patterns = ['*.md', '{daemon,trigger,cdk,packer,systemd,test}/**/*.md'];
  return globSync(patterns).filter((file) => file !== 'CHANGELOG.md' && !/(^|\/)(node_modules|cdk\.out)\//.test(file));
}

/** The commands in a document's `sh` blocks, and those named in its prose. */
export function commandsOf(file: string): DocumentedCommand[] {
  const { blocks, prose } = partsOf(readFileSync(file, 'utf8'));
  const shown = blocks.filter(({ language }) => language === 'sh').flatMap(({ text, line }) => placed(text, line));
  const named = prose.flatMap(({ text, line }) =>
    [...text.matchAll(/`([^`]+)`/g)].flatMap(([, code = '']) => {
      const flat = code.replaceAll(/\s+/g, ' ');
      // Brackets around what is optional.
      return NAMED_IN_PROSE.test(flat) ? placed(flat.replaceAll(/[[\]]/g, ''), line) : [];
    }),
  );
  return [...shown, ...named];

  function placed(script: string, line: number): DocumentedCommand[] {
    return commandsIn(script).map((words) => ({ place: `${file}:${line}`, words }));
  }
}

/** First lines of blocks that show commands but do not say that they are `sh`. */
export function unmarkedBlocksOf(file: string): string[] {
  const { blocks } = partsOf(readFileSync(file, 'utf8'));
  return blocks
    .filter(({ language, text }) => language === '' && NAMED_IN_PROSE.test(text.trim()))
    .map(({ text, line }) => `${file}:${line}: ${text.trim().split('\n')[0]}`);
}

interface Part {
  readonly language: string;
  readonly text: string;
  /** Number of its first line, from 1. */
  readonly line: number;
}

/** Fenced blocks, and the paragraphs between them. */
function partsOf(markdown: string): { blocks: Part[]; prose: Part[] } {
  const blocks: Part[] = [];
  const prose: Part[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  let paragraph: string[] = [];
  const endParagraph = (nextLine: number) => {
    prose.push({ language: '', text: paragraph.join('\n'), line: nextLine - paragraph.length });
    paragraph = [];
  };
  for (const [index, text] of markdown.split('\n').entries()) {
    const language = FENCE.exec(text)?.groups?.['language'];
    if (open && language !== undefined) {
      blocks.push({ language: open.language, text: open.lines.join('\n'), line: open.line });
      open = undefined;
    } else if (open) open.lines.push(text);
    else if (language !== undefined) {
      endParagraph(index + 1);
      open = { language, line: index + 2, lines: [] };
    } else if (text === '') endParagraph(index + 1);
    else paragraph.push(text);
  }
  endParagraph(markdown.split('\n').length + 1);
  return { blocks, prose };
}
