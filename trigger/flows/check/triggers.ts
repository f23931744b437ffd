import { textAt } from '../../json.ts';
import type { Action, Flow } from './flow.ts';
import { INVOKE, setsDeepgramParameters, waysOut } from './language.ts';
import { compareAfter, loadOf } from './result-reading.ts';

/** A flow, and the actions in it that invoke the trigger: other Lambda functions are not the checker's business. */
export type FlowWithTriggers = Flow & { readonly triggers: ReadonlySet<Action> };

/** Names that the trigger's function has: this project's stack, the original's guide. */
const LIKELY_NAME = /integrator|deepgram|kvs[-_]?dg/i;

/**
 * The actions that invoke the trigger: those whose function has the given name; otherwise those whose function has a
 * likely name, or is not chosen yet in a flow that sets `dg_` attributes, as in our sample flows; otherwise those whose
 * `lambdaResult` the flow compares; otherwise the first to follow `dg_` attributes.
 */
export function triggersOf(flow: Flow, name?: string): ReadonlySet<Action> {
  const invocations = flow.actions.filter(({ type }) => type === INVOKE);
  const functionOf = (action: Action) => functionIn(action, flow);
  if (name !== undefined) return new Set(invocations.filter((action) => functionOf(action).includes(name)));
  const isOurs = flow.actions.some(setsDeepgramParameters);
  const guesses = [
    (action: Action) => (isOurs && functionOf(action) === '') || LIKELY_NAME.test(functionOf(action)),
    (action: Action) => compareAfter(loadOf(action, flow), flow) !== undefined,
    (action: Action) => followers.has(action),
  ];
  const followers = new Set(
    flow.actions.filter(setsDeepgramParameters).flatMap((action) => nextInvocation(action, flow)),
  );
  for (const guess of guesses) {
    const found = new Set(invocations.filter(guess).map(functionOf));
    // One function may be invoked by several actions.
    if (found.size > 0) return new Set(invocations.filter((action) => found.has(functionOf(action))));
  }
  return new Set();
}

/** The function's ARN; its name, as the editor shows it, where an export for others has lost that. */
function functionIn({ identifier, parameters }: Action, { metadata }: Flow): string {
  const arn = textAt(parameters, 'LambdaFunctionARN');
  return arn ?? textAt(metadata, 'ActionMetadata', identifier, 'parameters', 'LambdaFunctionARN', 'displayName') ?? '';
}

/** The first invocation after an action, if it leads to one. */
function nextInvocation(from: Action, { byIdentifier }: Flow): Action[] {
  const seen = new Set([from]);
  for (const action of seen) {
    if (action.type === INVOKE) return [action];
    for (const { to } of waysOut(action)) {
      const next = byIdentifier.get(to);
      if (next !== undefined) seen.add(next);
    }
  }
  return [];
}
