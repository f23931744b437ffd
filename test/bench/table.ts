import { type Figure, median, type Report } from './figures.ts';
import { OURS } from './whole/contenders.ts';
import type { WholeRound } from './whole/round.ts';

/** The report as text. */
export function tableOf({ date, machine, node, options, figures, targets }: Report): string {
  const head = [
    `${date}, Node ${node}, ${machine.cpu} (${machine.cores} cores, ${machine.memoryGib} GiB), ${machine.system}`,
    `${options.calls} calls, ${options.seconds} s a round, median of ${options.rounds} rounds`,
    '',
  ];
  const rows = [
    ['stage', 'fed with', 'contender', 'CPU ms', 'per', 'integratord needs', 'rounds', 'notes'],
    ...figures.map((figure) => rowOf(figure, figures)),
  ];
  const told = targets.map(
    ({ name, atMost, value, met }) => `${met ? 'met    ' : 'NOT MET'}  ${name}: ${value.toFixed(3)}, at most ${atMost}`,
  );
  return [...head, ...aligned(rows), '', ...told, ''].join('\n');
}

function rowOf(figure: Figure, figures: readonly Figure[]): string[] {
  const { stage, feed, contender, unit, cpuMs, rounds } = figure;
  const ours = figures.find((other) => other.stage === stage && other.feed === feed && other.contender === OURS);
  const share = ours && contender !== OURS ? `${(ours.cpuMs / cpuMs).toFixed(3)} of it` : '';
  const spread = `${Math.min(...rounds).toFixed(3)}-${Math.max(...rounds).toFixed(3)}`;
  return [stage, feed, contender, cpuMs.toFixed(4), unit, share, spread, noteOf(figure)];
}

function noteOf({ whole }: Figure): string {
  if (!whole) return '';
  const of = (value: (round: WholeRound) => number) => median(whole.map(value));
  const busy = (who: 'contender' | 'source' | 'sink') => `${(of((round) => round.busy[who]) * 100).toFixed(0)} %`;
  const fellBehind = whole.some(({ keptUp }) => !keptUp) ? 'FELL BEHIND; ' : '';
  const kernel = `kernel ${(of(({ systemShare }) => systemShare) * 100).toFixed(0)} %`;
  const cores = `busy: it ${busy('contender')}, source ${busy('source')}, sink ${busy('sink')}`;
  return `${fellBehind}${kernel}; ${cores}; ${of(({ residentMib }) => residentMib).toFixed(0)} MiB`;
}

function aligned(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
