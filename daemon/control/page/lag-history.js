/** The lags that the page has seen, and their sparklines. The daemon keeps no history. */

import { element, setText } from './dom.js';
import { shortText } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const SPAN_MS = 120_000;
/** Samples further apart than this leave a gap in the line. */
const GAP_MS = 10_000;
/** The smallest full scale of a line, so that a few milliseconds do not look like peaks. */
const MIN_SCALE_MS = 250;
const WIDTH = 120;
const HEIGHT = 32;
/** Keeps the stroke from being cut off at the edges. */
const MARGIN = 2;

/** Named series of lags over the last two minutes. */
export class LagHistory {
  #samples = new Map();

  note(name, atMs, lagMs) {
    const samples = this.of(name).filter((sample) => sample.atMs > atMs - SPAN_MS && sample.atMs < atMs);
    this.#samples.set(name, [...samples, { atMs, lagMs }]);
  }

  of(name) {
    return this.#samples.get(name) ?? [];
  }

  /** Drops series without a sample in that time. */
  forget(nowMs) {
    for (const [name, samples] of this.#samples) {
      if (samples.at(-1).atMs <= nowMs - SPAN_MS) this.#samples.delete(name);
    }
  }
}

/** A line for samples of a LagHistory, with its axes: two minutes, and ms from 0 to the largest lag shown. */
export class Sparkline {
  element = element('div', 'sparkline');
  #svg = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', preserveAspectRatio: 'none' });
  #area = svg('path', { class: 'area' });
  #line = svg('path', { class: 'line' });
  #scale = element('span');
  #axis = element('p', 'axis', element('span', '', '2 min ago'), this.#scale, element('span', '', 'now'));
  #empty = element('p', 'axis', 'No lag measured yet');

  constructor() {
    this.#axis.setAttribute('aria-hidden', 'true');
    this.#svg.append(this.#area, this.#line);
    this.element.append(this.#svg, this.#axis, this.#empty);
    this.show([], 0);
  }

  show(samples, nowMs) {
    const lags = samples.map(({ lagMs }) => lagMs);
    const highestMs = Math.max(MIN_SCALE_MS, ...lags);
    const points = samples.map(({ atMs, lagMs }) => ({
      atMs,
      x: round(WIDTH - MARGIN - ((nowMs - atMs) / SPAN_MS) * (WIDTH - 2 * MARGIN)),
      y: round(HEIGHT - MARGIN - (lagMs / highestMs) * (HEIGHT - 2 * MARGIN)),
    }));
    const runs = runsOf(points);
    this.#line.setAttribute('d', runs.map(lineOf).join(''));
    this.#area.setAttribute('d', runs.map(areaOf).join(''));
    this.#svg.setAttribute('aria-label', describe(lags));
    setText(this.#scale, `0–${shortText(highestMs)}`);
    this.#axis.hidden = samples.length === 0;
    this.#empty.hidden = samples.length > 0;
  }
}

function describe(lags) {
  if (lags.length === 0) return 'Lag: no data yet';
  return `Lag in the last two minutes: from ${shortText(Math.min(...lags))} to ${shortText(Math.max(...lags))}`;
}

/** Splits the points at gaps. */
function runsOf(points) {
  const runs = [];
  for (const point of points) {
    const run = runs.at(-1);
    if (run && point.atMs - run.at(-1).atMs < GAP_MS) run.push(point);
    else runs.push([point]);
  }
  return runs;
}

/** A single point is a line of no length, which round caps turn into a dot. */
function lineOf([first, ...rest]) {
  return `M${first.x} ${first.y}${rest.map(({ x, y }) => `L${x} ${y}`).join('')}${rest.length === 0 ? 'h0' : ''}`;
}

function areaOf(run) {
  return `${lineOf(run)}V${HEIGHT}H${run[0].x}Z`;
}

function svg(tag, attributes) {
  const created = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  return created;
}

function round(number) {
  return Math.round(number * 10) / 10;
}
