import type { Report } from './report.ts';
import {
  FIGURE_NAMES,
  FIGURES,
  type Figure,
  type Middle,
  middleOf,
  type SideTurns,
  type TurnFigures,
} from './turns.ts';

/** All results of a comparison. */
export interface ComparisonReport {
  readonly machine: Report['machine'];
  readonly sides: readonly SideTurns[];
  readonly verdict: Report['verdict'];
}

const [NAME_WIDTH, SIDE_WIDTH] = [23, 34];

/** One run as a line of progress. */
export function turnText(figures: TurnFigures): string {
  const known = FIGURES.filter((figure) => figures[figure] !== undefined);
  const text = known.map((figure) => `${FIGURE_NAMES[figure]} ${shown(figure, figures[figure] ?? 0)}`).join('; ');
  return figures.failures.length === 0 ? text : `${text}; FAILED: ${figures.failures.join('; ')}`;
}

/** Medians of each side, least and most in brackets, and what they are of the first side's. */
export function comparisonText({ machine, sides, verdict }: ComparisonReport): string {
  const [first] = sides as [SideTurns];
  const rows = FIGURES.map((figure) => {
    const base = middleOf(first, figure);
    const cells = sides.map((side) => cell(figure, middleOf(side, figure), side === first ? undefined : base));
    return line(FIGURE_NAMES[figure], cells);
  });
  return [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}; medians of ${first.turns.length} runs (least to most)`,
    line(
      '',
      sides.map(({ name }) => name),
    ),
    ...rows,
    verdict.passed ? 'PASSED' : `FAILED: ${verdict.failures.join('; ')}`,
    '',
  ].join('\n');
}

function cell(figure: Figure, middle: Middle | undefined, base: Middle | undefined): string {
  if (!middle) return '';
  const [median, least, most] = [middle.median, middle.least, middle.most].map((value) => shown(figure, value));
  const ratio = base ? ` x ${(middle.median / base.median).toFixed(3)}` : '';
  return `${median} (${least} to ${most})${ratio}`;
}

function line(name: string, cells: readonly string[]): string {
  return `${name.padEnd(NAME_WIDTH)}${cells.map((text) => text.padEnd(SIDE_WIDTH)).join('')}`.trimEnd();
}

function shown(figure: Figure, value: number): string {
  return value.toFixed(figure === 'cpuMsPerCallSecond' ? 3 : 1);
}
