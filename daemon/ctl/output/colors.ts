import { styleText } from 'node:util';
import type { Output } from '../io.ts';

/** The few styles that say the same on a dark and on a light terminal. */
export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

/** Gives `text` a style where the output can show it, else as it is. */
export type Paint = (style: Style | undefined, text: string) => string;

/** Colours for `output`: on a terminal that has them, unless NO_COLOR (no-color.org) is set. */
export function paintFor(output: Output, env: Readonly<Record<string, string | undefined>>): Paint {
  const hasColour = output.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return (style, text) => (hasColour && style ? styleText(style, text, { validateStream: false }) : text);
}
