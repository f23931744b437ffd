import { checkCaller } from './caller.ts';
import { type Finding, WHOLE_FLOW } from './finding.ts';
import { NotAFlow, readFlow } from './flow.ts';
import { checkLayout } from './layout.ts';
import { checkParameters } from './parameters.ts';
import { checkResults } from './result.ts';
import { checkStructure } from './structure.ts';
import { checkPaths } from './walk.ts';

/** Checks the text of an exported contact flow; without findings, it can be published. */
export function checkFlow(text: string): Finding[] {
  try {
    const flow = readFlow(text);
    return [checkStructure, checkParameters, checkPaths, checkResults, checkCaller, checkLayout].flatMap((check) =>
      check(flow),
    );
  } catch (error) {
    if (!(error instanceof NotAFlow)) throw error;
    return [{ action: WHOLE_FLOW, what: 'not-a-flow', why: error.message }];
  }
}
