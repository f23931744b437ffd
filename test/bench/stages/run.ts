import { callNumbers, openSimulators } from '../../load/setup.ts';
import { Program } from '../../support/process.ts';
import type { Stage } from '../options.ts';
import { assertRight } from '../whole/assert-right.ts';
import { FEED_NAMES } from './feeds.ts';
import type { Measured, StageTask } from './measured.ts';

/** Contenders and feeds of each stage that is measured separately. */
export const STAGE_CONTENDERS: Readonly<
  Record<Exclude<Stage, 'whole'>, { contenders: readonly string[]; feeds: readonly string[] }>
> = {
  demux: { contenders: ['integratord', 'ebml-stream', 'ebml'], feeds: FEED_NAMES },
  align: { contenders: ['integratord', 'naive merging'], feeds: ['blocks of 64 ms'] },
  link: { contenders: ['integratord', 'ws'], feeds: ['messages of 64 ms'] },
};

/** Measures a stage once, in its own process. Throws if audio that the link stage sent did not arrive. */
export async function stageRound(task: Omit<StageTask, 'deepgramUrl'>, nodeOptions: string): Promise<Measured> {
  await using cleanup = new AsyncDisposableStack();
  const verified = callNumbers(task.calls);
  const simulators = task.stage === 'link' ? await openSimulators({ tls: null }, { verified }, cleanup) : undefined;
  const args = [JSON.stringify({ ...task, deepgramUrl: simulators?.deepgramUrl ?? '' } satisfies StageTask)];
  const program = new Program('test/bench/stages/main.ts', args, { NODE_OPTIONS: nodeOptions });
  cleanup.defer(() => program.stop('SIGKILL').then(() => {}));
  const { event: _, ...measured } = await program.line(({ event }) => event === 'measured');
  await program.exited;
  const { cpuMsPerUnit, checksum, sent = [] } = measured as unknown as Measured;
  const heard = await simulators?.deepgram.order(
    'totals',
    sent.map((blocks, call) => ({ call, blocks })),
  );
  for (const figures of heard ?? []) assertRight(figures, true);
  return { cpuMsPerUnit, checksum };
}
