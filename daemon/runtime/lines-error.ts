/** Reports several errors at once, one line each. */
export class LinesError extends Error {
  override readonly name: string = 'LinesError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}
