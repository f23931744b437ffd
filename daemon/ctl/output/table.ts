import type { Paint, Style } from './colors.ts';
import { printable } from './printable.ts';

/** Between two columns, as in ps and kubectl: a single blank could be part of a cell. */
const GAP = '  ';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Numbers line up at the right. */
  readonly align?: 'right';
  readonly style?: (row: Row) => Style | undefined;
}

export interface TableOptions {
  readonly header: boolean;
  readonly paint: Paint;
}

/** The rows as lines of aligned columns; cells come from outside and are made printable, an empty one shows as `-`. */
export function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[], options: TableOptions) {
  const titles = columns.map(({ title }) => ({ text: title, style: 'bold' as const }));
  const body = rows.map((row) =>
    columns.map(({ text, style }) => ({ text: printable(text(row)) || '-', style: style?.(row) })),
  );
  const cells = options.header ? [titles, ...body] : body;
  const widths = columns.map((_, at) => Math.max(0, ...cells.map((line) => line[at]?.text.length ?? 0)));
  return cells.map((line) => {
    const padded = line.map(({ text, style }, at) => {
      const width = widths[at] ?? 0;
      const isLast = at === columns.length - 1;
      const aligned = columns[at]?.align === 'right' ? text.padStart(width) : isLast ? text : text.padEnd(width);
      // Painted last: what sets a colour has no width.
      return options.paint(style, aligned);
    });
    return padded.join(GAP);
  });
}

/** Pairs as an aligned block: `name  value`; pairs without a value are left out. */
export function pairLines(pairs: readonly (readonly [name: string, value: string | undefined])[], paint: Paint) {
  const known = pairs.filter(([, value]) => value !== undefined);
  const columns: Column<readonly [string, string | undefined]>[] = [
    { title: '', text: ([name]) => name, style: () => 'dim' },
    { title: '', text: ([, value]) => value ?? '' },
  ];
  return tableLines(known, columns, { header: false, paint });
}
