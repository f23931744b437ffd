/** Text that roff shows as it is: backslashes, hyphens (which it would make dashes), quotes. */
export function roffText(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('"', '\\(dq');
  // At the begin of a line a dot would make it a request.
  return escaped.replaceAll(/^\./gm, '\\&.');
}

export function bold(text: string): string {
  return `\\fB${roffText(text)}\\fR`;
}

/** Markdown's `code` as bold, the rest as it is. */
export function roffOfMarkdown(text: string): string {
  const parts = text.split('`');
  return parts.map((part, at) => (at % 2 === 1 ? bold(part) : roffText(part))).join('');
}

export interface PageTitle {
  readonly name: string;
  readonly section: number;
  /** In one line, for whatis. */
  readonly summary: string;
  readonly version: string;
}

/** The head of a page; undated, so that the same sources make the same page. */
export function pageHead({ name, section, summary, version }: PageTitle): string[] {
  return [
    `.TH ${name.toUpperCase()} ${section} "" "integratord ${roffText(version)}" "integratord"`,
    // Left-aligned and not hyphenated: names of options and settings must stay whole.
    '.nh',
    '.ad l',
    ...heading('NAME'),
    `${roffText(name)} \\- ${roffText(summary)}`,
  ];
}

export function heading(title: string): string[] {
  return [`.SH ${title}`];
}

export function subheading(title: string): string[] {
  return [`.SS "${roffText(title)}"`];
}

export function paragraph(roff: string): string[] {
  return ['.PP', roff];
}

/** A term, in roff, and what it means, in roff. */
export function definition(term: string, meaning: string): string[] {
  return ['.TP', term, meaning];
}

/** Lines as they are typed. */
export function example(lines: readonly string[]): string[] {
  return ['.PP', '.nf', '.RS', ...lines.map(roffText), '.RE', '.fi'];
}
