import { Program } from '../../support/process.ts';
import type { Stage } from '../options.ts';
import { FEED_NAMES } from './feeds.ts';
import type { Measured, StageTask } from './measured.ts';

/** What is compared in each stage that is measured by itself, and what it is fed with. */
export const STAGE_CONTENDERS: Readonly<
  Record<Exclude<Stage, 'whole'>, { contenders: readonly string[]; feeds: readonly string[] }>
> = {
  demux: { contenders: ['integratord', 'ebml-stream', 'ebml'], feeds: FEED_NAMES },
  align: { contenders: ['integratord', 'naive merging'], feeds: ['blocks of 64 ms'] },
  link: { contenders: ['integratord', 'ws'], feeds: ['messages of 64 ms'] },
};

/** Measures a stage once, in a process of its own. */
export async function stageRound(task: Omit<StageTask, 'sinkUrl'>, nodeOptions: string): Promise<Measured> {
  const sink = task.stage === 'link' ? new Program('test/bench/simulators/sink.ts') : undefined;
  try {
    const sinkUrl = (await sink?.listening()) ?? '';
    const args = [JSON.stringify({ ...task, sinkUrl } satisfies StageTask)];
    const program = new Program('test/bench/stages/main.ts', args, { NODE_OPTIONS: nodeOptions });
    const { cpuMsPerUnit, checksum } = await program.line(({ event }) => event === 'measured');
    await program.exited;
    return { cpuMsPerUnit: Number(cpuMsPerUnit), checksum: Number(checksum) };
  } finally {
    await sink?.stop();
  }
}
