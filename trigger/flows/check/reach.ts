import type { Action, Branch, Flow } from './flow.ts';
import { waysOut } from './language.ts';

/** The actions that a contact can reach. */
export function reachable(flow: Flow): Set<Action> {
  return reachableFrom(flow, [{ kind: 'next', on: '', to: flow.startAction }], waysOut);
}

/** All actions that can be reached by the branches without passing an action in `closed`. */
export function reachableFrom(
  { byIdentifier }: Flow,
  from: readonly Branch[],
  onward: (action: Action) => readonly Branch[],
  closed: ReadonlySet<Action> = new Set(),
): Set<Action> {
  const reached = new Set<Action>();
  const waiting = [...from];
  for (let branch = waiting.shift(); branch !== undefined; branch = waiting.shift()) {
    const action = byIdentifier.get(branch.to);
    if (action === undefined || closed.has(action) || reached.has(action)) continue;
    reached.add(action);
    waiting.push(...onward(action));
  }
  return reached;
}
