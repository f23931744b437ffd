import type { Paint, Style } from './colors.ts';
import { printable } from './printable.ts';
import { wrapped } from './wrap.ts';

/** As in ps and kubectl: a single space could be part of a cell. */
export const COLUMN_SEPARATOR = '  ';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** For numbers. */
  readonly align?: 'right';
  readonly style?: (row: Row) => Style | undefined;
}

export interface TableOptions {
  readonly header: boolean;
  readonly paint: Paint;
  /** Of the terminal: the last column is wrapped so that no line is longer. */
  readonly width?: number;
}

/**
 * Rows as aligned columns, one text for each, which has several lines where the last column is wrapped. Cells are
 * untrusted and made printable; an empty one shows as `-`.
 */
export function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[], options: TableOptions) {
  const titles = columns.map(({ title }) => ({ text: title, style: 'bold' as const }));
  const body = rows.map((row) =>
    columns.map((column) => ({ text: cellText(column, row), style: column.style?.(row) })),
  );
  const cells = options.header ? [titles, ...body] : body;
  const widths = columns.map((_, at) => Math.max(0, ...cells.map((line) => line[at]?.text.length ?? 0)));
  const lastStart = widths.slice(0, -1).reduce((sum, width) => sum + width + COLUMN_SEPARATOR.length, 0);
  return cells.map((line) => {
    const padded = line.map(({ text, style }, at) => {
      const width = widths[at] ?? 0;
      const isLast = at === columns.length - 1;
      // Styled after padding: escape sequences have no width.
      if (columns[at]?.align === 'right') return options.paint(style, text.padStart(width));
      if (!isLast) return options.paint(style, text.padEnd(width));
      const parts = wrapped(text, lastStart, options.width ?? Infinity);
      return parts.map((part) => options.paint(style, part)).join('\n');
    });
    return padded.join(COLUMN_SEPARATOR).replaceAll(/ +$/gm, '');
  });
}

/** The width that a column needs for its title and all rows. */
export function widthOf<Row>(column: Column<Row>, rows: readonly Row[]): number {
  return rows.reduce((width, row) => Math.max(width, cellText(column, row).length), column.title.length);
}

function cellText<Row>({ text }: Column<Row>, row: Row): string {
  return printable(text(row)) || '-';
}

/** A name and its value, which may mean something by its color. */
export type Pair = readonly [name: string, value: string | undefined, style?: Style | undefined];

/** Pairs as aligned lines of `name  value`; pairs without a value are omitted. */
export function pairLines(pairs: readonly Pair[], { paint, width }: Omit<TableOptions, 'header'>) {
  const known = pairs.filter(([, value]) => value !== undefined);
  const columns: Column<Pair>[] = [
    { title: '', text: ([name]) => name, style: () => 'dim' },
    { title: '', text: ([, value]) => value ?? '', style: ([, , style]) => style },
  ];
  return tableLines(known, columns, { header: false, paint, ...(width === undefined ? {} : { width }) });
}
