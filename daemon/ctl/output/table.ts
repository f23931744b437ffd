import type { Paint, Style } from './colors.ts';
import { printable } from './printable.ts';

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
}

/** Rows as aligned columns. Cells are untrusted and made printable; an empty one shows as `-`. */
export function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[], options: TableOptions) {
  const titles = columns.map(({ title }) => ({ text: title, style: 'bold' as const }));
  const body = rows.map((row) =>
    columns.map((column) => ({ text: cellText(column, row), style: column.style?.(row) })),
  );
  const cells = options.header ? [titles, ...body] : body;
  const widths = columns.map((_, at) => Math.max(0, ...cells.map((line) => line[at]?.text.length ?? 0)));
  return cells.map((line) => {
    const padded = line.map(({ text, style }, at) => {
      const width = widths[at] ?? 0;
      const isLast = at === columns.length - 1;
      const aligned = columns[at]?.align === 'right' ? text.padStart(width) : isLast ? text : text.padEnd(width);
      // Styled after padding: escape sequences have no width.
      return options.paint(style, aligned);
    });
    return padded.join(COLUMN_SEPARATOR);
  });
}

/** The width that a column needs for its title and all rows. */
export function widthOf<Row>(column: Column<Row>, rows: readonly Row[]): number {
  return rows.reduce((width, row) => Math.max(width, cellText(column, row).length), column.title.length);
}

function cellText<Row>({ text }: Column<Row>, row: Row): string {
  return printable(text(row)) || '-';
}

/** Pairs as aligned lines of `name  value`; pairs without a value are omitted. */
export function pairLines(pairs: readonly (readonly [name: string, value: string | undefined])[], paint: Paint) {
  const known = pairs.filter(([, value]) => value !== undefined);
  const columns: Column<readonly [string, string | undefined]>[] = [
    { title: '', text: ([name]) => name, style: () => 'dim' },
    { title: '', text: ([, value]) => value ?? '' },
  ];
  return tableLines(known, columns, { header: false, paint });
}
