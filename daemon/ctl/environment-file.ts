/** What systemd takes from a file of settings. */
interface EnvironmentFile {
  readonly settings: Readonly<Record<string, string>>;
  /** The numbers of the lines that it ignores although they are no comments: no `=`, or `export NAME=value`. */
  readonly ignoredLines: readonly number[];
}

const BLANK = /[ \t\r\n]*/y;
/** As of systemd 252; from 254 on, a comment ends with its line also after a backslash. */
const COMMENT = /[#;](?:\\.|[^\\\r\n])*\\?/sy;
/** Its first character may even be `=`. */
const KEY = /([^\r\n][^=\r\n]*)(=?)/y;
const SINGLE_QUOTED = /[ \t]*'([^']*)'?/y;
const DOUBLE_QUOTED = /[ \t]*"((?:\\.|[^"\\])*)\\?"?/sy;
/** To the end of the line, without blanks before it. Quotes in it are plain characters, and so is `#`. */
const UNQUOTED = /[ \t]*((?:\\(?:.|$)|[^\\\r\n])*?)[ \t]*(?=[\r\n]|$)/sy;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Parses a file of settings as systemd does for EnvironmentFile= (systemd.exec(5); `parse_env_file_internal` in its
 * src/basic/env-file.c). Unlike node:util's parseEnv: a comment is a whole line, so `300 # comment` is a value; several
 * quoted parts are joined; outside of single quotes a backslash escapes, or continues the line; no `\n`, no `export`.
 */
export function parseEnvironmentFile(text: string): EnvironmentFile {
  const settings: Record<string, string> = {};
  const ignoredLines: number[] = [];
  const scanner = new Scanner(text);
  for (;;) {
    scanner.take(BLANK);
    if (scanner.isAtEnd) return { settings, ignoredLines };
    if (scanner.take(COMMENT)) continue;
    const line = scanner.lineNumber;
    const [, key = '', equals] = scanner.take(KEY) ?? [];
    const value = equals ? valueAt(scanner) : undefined;
    const name = key.replace(/[ \t]+$/, '');
    if (value !== undefined && NAME.test(name)) settings[name] = value;
    else ignoredLines.push(line);
  }
}

function valueAt(scanner: Scanner): string {
  let value = '';
  for (;;) {
    const single = scanner.take(SINGLE_QUOTED);
    const double = single ? undefined : scanner.take(DOUBLE_QUOTED);
    if (!single && !double) return value + unescaped(scanner.take(UNQUOTED)?.[1] ?? '');
    value += single?.[1] ?? withinDoubleQuotes(double?.[1] ?? '');
  }
}

/** A backslash preserves the next character; a line break after one disappears. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(.|$)/gs, (_, next: string) => (/[\r\n]/.test(next) ? '' : next));
}

/** As in a shell: before other characters than these, the backslash stays. */
function withinDoubleQuotes(text: string): string {
  return text.replaceAll(/\\(.)/gs, (both, next: string) => {
    if (next === '\n') return '';
    return '"\\`$'.includes(next) ? next : both;
  });
}

/** A position in a text. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  get lineNumber(): number {
    return this.#text.slice(0, this.#at).split('\n').length;
  }

  /** Moves past the sticky pattern, if it matches here. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }
}
