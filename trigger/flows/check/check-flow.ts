import { checkAttributes } from './attributes.ts';
import { blockOf } from './block.ts';
import { checkCaller } from './caller.ts';
import { type Finding, severityOf, WHOLE_FLOW } from './finding.ts';
import { type Flow, NotAFlow, readFlow } from './flow.ts';
import { checkParameters } from './parameters.ts';
import { checkResults } from './result.ts';
import { checkStructure } from './structure.ts';
import { triggersOf } from './triggers.ts';
import { checkPaths } from './walk.ts';

/** A finding as the checker reports it. */
export type Report = Finding & {
  readonly severity: 'error' | 'warning';
  /** The block's title in the flow editor, and its type in the flow language; undefined for the whole flow. */
  readonly block: string | undefined;
};

/**
 * Checks the text of a contact flow, exported from the editor or from the API. Throws OldFormat.
 * @param triggerName part of the ARN of the trigger function, where the flow invokes others too
 */
export function checkFlow(text: string, triggerName?: string): Report[] {
  try {
    const flow = readFlow(text);
    return findingsOf(flow, triggerName).map((finding) => report(finding, flow));
  } catch (error) {
    if (!(error instanceof NotAFlow)) throw error;
    return [report({ action: WHOLE_FLOW, what: 'not-a-flow', why: error.message })];
  }
}

function findingsOf(flow: Flow, triggerName: string | undefined): Finding[] {
  const structure = checkStructure(flow);
  const triggers = triggersOf(flow, triggerName);
  if (triggers.size === 0) return [...structure, noTrigger(triggerName)];
  const checks = [checkParameters, checkAttributes, checkPaths, checkResults, checkCaller];
  return [...structure, ...checks.flatMap((check) => check({ ...flow, triggers }))];
}

function noTrigger(name: string | undefined): Finding {
  if (name === undefined) {
    const why = 'No action invokes the trigger: nothing is transcribed.';
    return { action: WHOLE_FLOW, what: 'no-trigger', why };
  }
  const why =
    `No action invokes a function with ${JSON.stringify(name)} in its ARN: correct the name, or leave it out ` +
    'if the flow has no function chosen yet.';
  return { action: WHOLE_FLOW, what: 'no-such-trigger', why };
}

function report(finding: Finding, flow?: Flow): Report {
  const action = flow?.byIdentifier.get(finding.action);
  return { ...finding, severity: severityOf(finding), block: action && blockOf(action) };
}
