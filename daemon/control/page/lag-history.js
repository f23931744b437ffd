/** What the page has seen of lags, and how it draws them. The daemon keeps no history for it. */

import { shortText } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const SPAN_MS = 120_000;
/** Between two looks that are further apart nobody knows what was: the line has a gap there. */
const GAP_MS = 10_000;
/** The height of a line is at least this much lag: a few milliseconds up and down are no mountains. */
const LEAST_HEIGHT_MS = 250;
const WIDTH = 120;
const HEIGHT = 32;
/** So that the stroke is not cut off at the edges. */
const MARGIN = 2;

/** The lags of whatever has a name, over the last two minutes. */
export class LagHistory {
  #samples = new Map();

  note(name, atMs, lagMs) {
    const samples = this.of(name).filter((sample) => sample.atMs > atMs - SPAN_MS && sample.atMs < atMs);
    this.#samples.set(name, [...samples, { atMs, lagMs }]);
  }

  of(name) {
    return this.#samples.get(name) ?? [];
  }

  /** Forgets what has not been seen for as long as a line is. */
  forget(nowMs) {
    for (const [name, samples] of this.#samples) {
      if (samples.at(-1).atMs <= nowMs - SPAN_MS) this.#samples.delete(name);
    }
  }
}

/** A line for samples of a LagHistory. */
export class Sparkline {
  element = svg('svg', { class: 'sparkline', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' });
  #area = svg('path', { class: 'area' });
  #line = svg('path', { class: 'line' });

  constructor() {
    this.element.setAttribute('preserveAspectRatio', 'none');
    this.element.append(this.#area, this.#line);
    this.show([], 0);
  }

  show(samples, nowMs) {
    const lags = samples.map(({ lagMs }) => lagMs);
    const highestMs = Math.max(LEAST_HEIGHT_MS, ...lags);
    const points = samples.map(({ atMs, lagMs }) => ({
      atMs,
      x: round(WIDTH - MARGIN - ((nowMs - atMs) / SPAN_MS) * (WIDTH - 2 * MARGIN)),
      y: round(HEIGHT - MARGIN - (lagMs / highestMs) * (HEIGHT - 2 * MARGIN)),
    }));
    const runs = runsOf(points);
    this.#line.setAttribute('d', runs.map(lineOf).join(''));
    this.#area.setAttribute('d', runs.map(areaOf).join(''));
    this.element.setAttribute('aria-label', told(lags));
  }
}

function told(lags) {
  if (lags.length === 0) return 'Lag: nothing seen yet';
  return `Lag in the last two minutes: from ${shortText(Math.min(...lags))} to ${shortText(Math.max(...lags))}`;
}

/** The points in runs that have no gap. */
function runsOf(points) {
  const runs = [];
  for (const point of points) {
    const run = runs.at(-1);
    if (run && point.atMs - run.at(-1).atMs < GAP_MS) run.push(point);
    else runs.push([point]);
  }
  return runs;
}

/** A point alone is a line of no length, which round ends make a dot. */
function lineOf([first, ...rest]) {
  return `M${first.x} ${first.y}${rest.map(({ x, y }) => `L${x} ${y}`).join('')}${rest.length === 0 ? 'h0' : ''}`;
}

function areaOf(run) {
  return `${lineOf(run)}V${HEIGHT}H${run[0].x}Z`;
}

function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function round(number) {
  return Math.round(number * 10) / 10;
}
