/**
 * Lists the functions with the most self time in CPU profiles. --from and --to, in seconds, limit it to a part of the
 * profile, such as the time after all calls have started.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SHOWN = 40;
/** V8's name for time in which the process ran nothing. */
const IDLE = '(idle)';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { from: { type: 'string', default: '0' }, to: { type: 'string', default: 'Infinity' } },
});
const [fromUs, toUs] = [Number(values.from) * 1e6, Number(values.to) * 1e6];

for (const path of positionals) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, 'utf8')) as Profile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const selfUs = new Map<string, number>();
  let atUs = 0;
  samples.forEach((id, i) => {
    atUs += timeDeltas[i] ?? 0;
    if (atUs < fromUs || atUs >= toUs) return;
    const name = names.get(id) ?? '';
    selfUs.set(name, (selfUs.get(name) ?? 0) + (timeDeltas[i] ?? 0));
  });
  selfUs.delete(IDLE);
  const totalUs = [...selfUs.values()].reduce((sum, us) => sum + us, 0);
  const lines = [...selfUs]
    .sort(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([name, us]) => `${((us / totalUs) * 100).toFixed(2).padStart(6)} %  ${name}`);
  const seconds = (Math.min(toUs, atUs) - fromUs) / 1e6;
  process.stdout.write([`${path}: ${(totalUs / 1e6).toFixed(2)} s not idle of ${seconds} s`, ...lines, ''].join('\n'));
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const place = url === '' ? '' : ` ${url.replace(/^.*\/(?=(daemon|test|node_modules)\/)/, '')}:${lineNumber + 1}`;
  return `${functionName || '(anonymous)'}${place}`;
}
