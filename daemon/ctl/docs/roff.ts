/** Escapes text so that roff prints it verbatim: backslashes, quotes, and hyphens, which it would turn into dashes. */
export function roffText(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('"', '\\(dq');
  // A line that begins with a dot would be a request.
  return escaped.replaceAll(/^\./gm, '\\&.');
}

export function bold(text: string): string {
  return `\\fB${roffText(text)}\\fR`;
}

/** Markdown's `code` in bold, the rest verbatim. */
export function roffOfMarkdown(text: string): string {
  const parts = text.split('`');
  return parts.map((part, at) => (at % 2 === 1 ? bold(part) : roffText(part))).join('');
}

interface PageTitle {
  readonly name: string;
  readonly section: number;
  /** One line, for whatis. */
  readonly summary: string;
  readonly version: string;
}

/** The head of a page; undated, so that builds are reproducible. */
export function pageHead({ name, section, summary, version }: PageTitle): string[] {
  return [
    `.TH ${name.toUpperCase()} ${section} "" "integratord ${roffText(version)}" "integratord"`,
    // Left-aligned, without hyphenation: names of options and settings must not be broken.
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

/** A term and its definition, both in roff. */
export function definition(term: string, meaning: string): string[] {
  return ['.TP', term, meaning];
}

/** A block of commands, verbatim. */
export function example(lines: readonly string[]): string[] {
  return ['.PP', '.nf', '.RS', ...lines.map(roffText), '.RE', '.fi'];
}
