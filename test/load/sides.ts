import type { Options } from './options.ts';

/** What takes turns in a comparison: a mode of the daemon, or one of two daemons. */
export interface Side {
  readonly name: string;
  readonly options: Options;
}

/** The sides of a comparison, the one that the others are compared with first; undefined without a comparison. */
export function sidesOf(options: Options): readonly Side[] | undefined {
  const { compareResults, against, interims, least } = options;
  if (compareResults) {
    return [
      { name: 'callback', options: { ...options, results: false, interims: false, least: false } },
      { name: 'relay', options: { ...options, results: true, interims: false, least: false } },
      ...(interims ? [{ name: 'with interims', options: { ...options, results: true, least: false } }] : []),
      ...(least ? [{ name: 'least', options: { ...options, results: true, interims: false } }] : []),
    ];
  }
  if (against === undefined) return undefined;
  // Another version has other metrics, and may take only what the original's trigger sends.
  const common = { ...options, comparesMetrics: false };
  return [
    { name: 'old', options: { ...common, plainStarts: true, daemon: against } },
    { name: 'new', options: common },
  ];
}
