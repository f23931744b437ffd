import type { Action, Branch, Flow } from './flow.ts';
import { COMPARE, INVOKE, isAsynchronous, LOAD, waysOut } from './language.ts';

/** Where the flow finds the trigger's result. */
export const RESULT = '$.External.lambdaResult';

/** The action that brings the result: the trigger itself, or the first Load Lambda result after an asynchronous one. */
export function loadOf(trigger: Action, flow: Flow): Action | undefined {
  if (!isAsynchronous(trigger)) return trigger;
  const seen = new Set([trigger]);
  for (const action of seen) {
    if (action.type === LOAD) return action;
    const ways = waysOut(action).filter(({ kind }) => action !== trigger || kind === 'next');
    const next = ways.map(({ to }) => flow.byIdentifier.get(to));
    for (const one of next) if (one !== undefined && one.type !== INVOKE) seen.add(one);
  }
  return undefined;
}

/** The action after `load`, if it compares the trigger's result. */
export function compareAfter(load: Action | undefined, { byIdentifier }: Flow): Action | undefined {
  const next = byIdentifier.get((load && targetOf(load, 'next', '')) ?? '');
  return next?.type === COMPARE && next.parameters['ComparisonValue'] === RESULT ? next : undefined;
}

/** Where a branch leads. */
export function targetOf({ branches }: Action, kind: Branch['kind'], on: string): string | undefined {
  return branches.find((branch) => branch.kind === kind && branch.on === on)?.to;
}
