/** Installs integratord into a minimal Debian, boots it under a real systemd, and checks what operators rely on. Prints
 *  TAP. Exits with 0 if all checks passed, 1 if not, 2 if this machine cannot run them, 130 after Ctrl-C. */
import { checkAbsence } from './absence-checks.ts';
import {
  baseRoot,
  cacheDirectory,
  copyRoot,
  directoryOfThisRun,
  maskTimers,
  SYSTEMD_PACKAGES,
  sweep,
} from './base-root.ts';
import { checkCalls } from './call-checks.ts';
import { removeTree } from './command.ts';
import { Container } from './container.ts';
import { checkImage, checkImageBuild } from './image-checks.ts';
import { checkInstall } from './install-checks.ts';
import { Machine } from './machine.ts';
import { unpackRelease } from './release.ts';
import { missingRequirements } from './requirements.ts';
import { Simulators } from './simulators.ts';
import { Tap } from './tap.ts';
import { Unit } from './unit.ts';
import { checkUnit } from './unit-checks.ts';

const EXIT_FAILED = 1;
const EXIT_CANNOT_RUN = 2;
const EXIT_INTERRUPTED = 130;
/** Journal lines shown with a failure. */
const JOURNAL_TAIL = 25;

const say = (line: string) => process.stdout.write(`${line}\n`);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

const missing = missingRequirements('boot a container');
if (missing.length > 0) {
  for (const line of missing) process.stderr.write(`test:systemd: ${line}\n`);
  process.exit(EXIT_CANNOT_RUN);
}
process.exit(await main(interrupted.signal));

async function main(signal: AbortSignal): Promise<number> {
  // Disposed in reverse order, whatever happens.
  await using undo = new AsyncDisposableStack();
  try {
    return await testAll(undo, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    return EXIT_INTERRUPTED;
  }
}

async function testAll(undo: AsyncDisposableStack, signal: AbortSignal): Promise<number> {
  let unit: Unit | undefined;
  const tap = new Tap(say, signal, () => unit?.journal.tail(JOURNAL_TAIL) ?? []);
  const cache = cacheDirectory();
  await sweep(cache);
  const base = await baseRoot(SYSTEMD_PACKAGES, cache, (line) => say(`# ${line}`), signal);
  const root = directoryOfThisRun(cache, 'root');
  undo.defer(() => removeTree(root));
  await copyRoot(base, root, signal);
  await maskTimers(root, signal);
  const releases = directoryOfThisRun(cache, 'release');
  undo.defer(() => removeTree(releases));
  const release = await unpackRelease(releases, signal);
  await checkInstall(tap, release, root);
  await checkImageBuild(tap, root);

  const simulators = await Simulators.start();
  undo.defer(() => simulators.stop());
  const container = new Container(root);
  undo.defer(() => container.stop());
  await container.booted(signal);
  unit = new Unit(container);
  const machine = new Machine(root, unit, simulators);
  await checkUnit(tap, machine);
  await checkAbsence(tap, machine);
  await checkCalls(tap, machine);
  await checkImage(tap, machine);
  tap.end();
  return tap.failed > 0 ? EXIT_FAILED : 0;
}
