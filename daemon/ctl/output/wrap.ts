/** A column that is narrower reads badly. */
const LEAST_COLUMN = 36;
const INDENT = 6;

/**
 * Appends `text` to a line that has `start` characters so far, broken at spaces so that no line is longer than `width`.
 * Further lines are indented to where the text starts; in a narrow terminal, all of it goes below the line.
 */
export function wrapped(text: string, start: number, width: number): readonly string[] {
  if (start + text.length <= width) return [text];
  const isBeside = width - start >= LEAST_COLUMN;
  const indent = ' '.repeat(isBeside ? start : INDENT);
  const lines = brokenAt(text, Math.max(1, width - indent.length));
  const [first = '', ...others] = isBeside ? lines : ['', ...lines];
  return [first, ...others.map((line) => indent + line)];
}

/** Lines of at most `room` characters; only a longer word is broken. */
function brokenAt(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => piecesOf(each, room))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= room) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function piecesOf(word: string, room: number): string[] {
  const count = Math.max(1, Math.ceil(word.length / room));
  return Array.from({ length: count }, (_, at) => word.slice(at * room, (at + 1) * room));
}
