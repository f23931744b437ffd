import { readFileSync } from 'node:fs';

const UNIT = new URL('../../systemd/integratord.service', import.meta.url);

/** The daemon's NODE_OPTIONS under systemd. */
export function unitNodeOptions(): string {
  const [, options] = /^Environment=NODE_OPTIONS=(.+)$/m.exec(readFileSync(UNIT, 'utf8')) ?? [];
  if (!options) throw new Error('the unit sets no NODE_OPTIONS');
  return options;
}
