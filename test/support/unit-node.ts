import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a systemd unit starts Node. */
interface UnitNode {
  /** Its options on the command line. */
  readonly args: readonly string[];
  /** Its NODE_OPTIONS. */
  readonly options: string;
}

/** Reads how the unit of a checkout, a directory, starts the daemon. Throws if there is no unit, or it sets no option. */
export function unitNodeOf(checkout: string): UnitNode {
  const unit = readFileSync(join(checkout, 'systemd/integratord.service'), 'utf8').replaceAll('\\\n', '');
  const [, command = ''] = /^ExecStart=(.+)$/m.exec(unit) ?? [];
  const [, options = ''] = /^Environment=NODE_OPTIONS=(.+)$/m.exec(unit) ?? [];
  const args = command.split(/\s+/).filter((word) => word.startsWith('--'));
  if (args.length === 0 && options === '') throw new Error(`the unit in ${checkout} sets no options of Node`);
  return { args, options };
}
