/** Measures one stage of one contender in its own process, unaffected by the garbage and compiled code of others. */
import { measureAlign } from './align.ts';
import { measureDemux } from './demux.ts';
import { measureLink } from './link.ts';
import type { StageTask } from './measured.ts';

const MEASURE = { demux: measureDemux, align: measureAlign, link: measureLink };

const task = JSON.parse(process.argv[2] ?? '') as StageTask;
const measured = await MEASURE[task.stage](task);
process.stdout.write(`${JSON.stringify({ event: 'measured', ...measured })}\n`);
