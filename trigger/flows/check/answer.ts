import type { Finding } from './finding.ts';
import type { Action, Branch, Flow } from './flow.ts';
import { COMPARE, INVOKE, MESSAGE } from './language.ts';
import { ANSWER } from './walk.ts';

/** What the trigger can answer (trigger/result.ts). */
const SUCCESS = 'success';
const FAIL = 'fail';

/** The trigger's success, its fail and no answer at all are three things: each has to be seen, and told apart. */
export function checkAnswers(flow: Flow): Finding[] {
  return flow.actions.filter(({ type }) => type === INVOKE).flatMap((trigger) => checkAnswer(trigger, flow));
}

/** The action that follows when the trigger has answered `success`; undefined when the flow does not look. */
export function onSuccess(trigger: Action, flow: Flow): string | undefined {
  const compare = compareAfter(trigger, flow);
  return compare && targetOf(compare, 'condition', SUCCESS);
}

function checkAnswer(trigger: Action, flow: Flow): Finding[] {
  const compare = compareAfter(trigger, flow);
  if (compare === undefined) {
    const why = `It has to be followed by a Compare of ${ANSWER}: an invocation that went well can have answered fail.`;
    return [{ action: trigger.identifier, what: 'answer-unread', why }];
  }
  return [...checkCompare(compare), ...checkFailures(trigger, compare, flow)];
}

function checkCompare({ identifier, branches }: Action): Finding[] {
  const values = branches.filter(({ kind }) => kind === 'condition').map(({ on }) => on);
  return [
    ...[SUCCESS, FAIL]
      .filter((value) => !values.includes(value))
      .map((value) => `There is no condition Equals ${value}.`),
    ...values
      .filter((value) => value !== SUCCESS && value !== FAIL)
      .map((value) => `The trigger never answers ${value}: it is ${SUCCESS} or ${FAIL}.`),
  ].map((why) => ({ action: identifier, what: 'answer-unread', why }));
}

function checkFailures(trigger: Action, compare: Action, { byIdentifier }: Flow): Finding[] {
  const success = targetOf(compare, 'condition', SUCCESS);
  const fail = targetOf(compare, 'condition', FAIL);
  const silence = targetOf(trigger, 'error', 'NoMatchingError');
  const failures = [
    { action: compare.identifier, name: 'fail', to: fail },
    { action: compare.identifier, name: 'any other answer', to: targetOf(compare, 'error', 'NoMatchingCondition') },
    { action: trigger.identifier, name: 'no answer', to: silence },
  ];
  const findings: Finding[] = [];
  for (const { action, name, to } of failures) {
    // One that leads nowhere is a finding of the structure's.
    const next = byIdentifier.get(to ?? '');
    if (next === undefined) continue;
    if (to === success || next === compare) {
      findings.push({ action, what: 'failure-as-success', why: `On ${name} the flow goes on as after a success.` });
    } else if (next.type !== MESSAGE) {
      const why = `On ${name} the flow does not say so: "${to}" is no ${MESSAGE}.`;
      findings.push({ action, what: 'failure-unsaid', why });
    }
  }
  if (fail !== undefined && fail === silence) {
    const why = 'It says the same whether the trigger answered fail or did not answer: say which it was.';
    findings.push({ action: trigger.identifier, what: 'failure-unsaid', why });
  }
  return findings;
}

/** The action after the trigger, if it looks at the trigger's answer. */
function compareAfter(trigger: Action, { byIdentifier }: Flow): Action | undefined {
  const next = byIdentifier.get(targetOf(trigger, 'next', '') ?? '');
  return next?.type === COMPARE && next.parameters['ComparisonValue'] === ANSWER ? next : undefined;
}

function targetOf({ branches }: Action, kind: Branch['kind'], on: string): string | undefined {
  return branches.find((branch) => branch.kind === kind && branch.on === on)?.to;
}
