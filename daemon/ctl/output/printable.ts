/** Characters that could control a terminal or are invisible: control, format, line separators, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Untrusted text with unprintable characters escaped, such as \u001b, so that it cannot control the terminal. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, escaped);
}

/** JSON that is safe on a terminal and parses to the same value. */
export function printableJson(value: unknown, indent?: number): string {
  const lines = JSON.stringify(value, undefined, indent).split('\n');
  return lines.map(printable).join('\n');
}

/** JSON's escape: four digits per UTF-16 unit. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    const unit = character.charCodeAt(at).toString(16).padStart(4, '0');
    return `\\u${unit}`;
  }).join('');
}
