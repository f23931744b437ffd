import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a systemd unit starts Node. */
interface UnitNode {
  /** Its options on the command line. */
  readonly args: readonly string[];
  /** Its NODE_OPTIONS. */
  readonly options: string;
}

/** How the unit in a checkout's directory starts the daemon. Throws if there is none. */
export function unitNodeOf(checkout: string): UnitNode {
  const unit = readFileSync(join(checkout, 'systemd/integratord.service'), 'utf8').replaceAll('\\\n', '');
  const [, command = ''] = /^ExecStart=(.+)$/m.exec(unit) ?? [];
  const [, options = ''] = /^Environment=NODE_OPTIONS=(.+)$/m.exec(unit) ?? [];
  return { args: command.split(/\s+/).filter((word) => word.startsWith('--')), options };
}
