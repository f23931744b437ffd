import { styleText } from 'node:util';
import type { Output } from '../io.ts';

/** The styles that read well on dark and on light terminals. */
export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

/** Styles `text` if the output supports it. */
export type Paint = (style: Style | undefined, text: string) => string;

/** Colors only on a terminal that has them, and not if NO_COLOR (no-color.org) is set. */
export function paintFor(output: Output, env: Readonly<Record<string, string | undefined>>): Paint {
  const hasColors = output.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return (style, text) => (hasColors && style ? styleText(style, text, { validateStream: false }) : text);
}
