import type { Finding } from './finding.ts';
import type { Action, Flow } from './flow.ts';
import { MESSAGE } from './language.ts';
import { compareAfter, loadOf, RESULT, targetOf } from './result-reading.ts';
import type { FlowWithTriggers } from './triggers.ts';

/** The trigger's results (trigger/result.ts). */
const SUCCESS = 'success';
const FAIL = 'fail';

/** A flow must distinguish the trigger's success, its fail and the lack of a response. */
export function checkResults(flow: FlowWithTriggers): Finding[] {
  return [...flow.triggers].flatMap((trigger) => checkResult(trigger, flow));
}

/** The action that follows `success`; undefined if the flow does not check the result. */
export function onSuccess(trigger: Action, flow: Flow): string | undefined {
  const compare = compareAfter(loadOf(trigger, flow), flow);
  return compare && targetOf(compare, 'condition', SUCCESS);
}

function checkResult(trigger: Action, flow: Flow): Finding[] {
  const load = loadOf(trigger, flow);
  const compare = compareAfter(load, flow);
  if (load === undefined || compare === undefined) {
    const { identifier } = load ?? trigger;
    const why = load
      ? `It must be followed by a Compare of ${RESULT}: a successful invocation can return fail.`
      : 'No Load Lambda result follows this asynchronous invocation: the flow does not learn its result.';
    return [{ action: identifier, what: 'result-unread', why }];
  }
  return [...checkCompare(compare), ...checkFailures(trigger, load, compare, flow)];
}

function checkCompare({ identifier, branches }: Action): Finding[] {
  const values = branches.filter(({ kind }) => kind === 'condition').map(({ on }) => on);
  return [
    ...[SUCCESS, FAIL]
      .filter((value) => !values.includes(value))
      .map((value) => `There is no condition Equals ${value}.`),
    ...values
      .filter((value) => value !== SUCCESS && value !== FAIL)
      .map((value) => `The trigger never returns ${value}, only ${SUCCESS} or ${FAIL}.`),
  ].map((why) => ({ action: identifier, what: 'result-unread', why }));
}

function checkFailures(trigger: Action, load: Action, compare: Action, { byIdentifier }: Flow): Finding[] {
  const success = targetOf(compare, 'condition', SUCCESS);
  const fail = targetOf(compare, 'condition', FAIL);
  const noResponse = targetOf(load, 'error', 'NoMatchingError');
  const failures = [
    { action: compare.identifier, name: 'fail', to: fail },
    { action: compare.identifier, name: 'any other result', to: targetOf(compare, 'error', 'NoMatchingCondition') },
    { action: load.identifier, name: 'no response', to: noResponse },
    ...(load === trigger
      ? []
      : [{ action: trigger.identifier, name: 'no invocation', to: targetOf(trigger, 'error', 'NoMatchingError') }]),
  ];
  const findings: Finding[] = [];
  for (const { action, name, to } of failures) {
    // checkStructure reports a branch that leads nowhere.
    const next = byIdentifier.get(to ?? '');
    if (next === undefined) continue;
    if (to === success || next === compare) {
      findings.push({ action, what: 'failure-as-success', why: `On ${name} the flow continues as after a success.` });
    } else if (next.type !== MESSAGE) {
      const why = `On ${name} the flow does not say so: "${to}" is not a ${MESSAGE}.`;
      findings.push({ action, what: 'failure-unreported', why });
    }
  }
  if (fail !== undefined && fail === noResponse) {
    const why = 'It says the same for fail and for no response: say which it was.';
    findings.push({ action: load.identifier, what: 'failure-unreported', why });
  }
  return findings;
}
