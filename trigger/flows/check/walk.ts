import { isJsonObject } from '../../json.ts';
import { type Finding, WHOLE_FLOW } from './finding.ts';
import type { Action, Branch, Flow } from './flow.ts';
import { ATTRIBUTES, COMPARE, DISCONNECT, INVOKE, setsStreaming, waysOut } from './language.ts';

/** Where the flow finds the trigger's result. */
export const RESULT = '$.External.lambdaResult';

/** The state of a path that later actions depend on. */
type State = {
  streaming: boolean;
  /** True if the last block that sets dg_ attributes succeeded. */
  configured: boolean;
  /** True if the last invocation of the trigger returned a result. */
  hasResult: boolean;
};

type Step = { identifier: string; state: State; path: readonly string[] };

/** Walks every path from the start. Paths that reach an action in the same state are followed only once, so loops end
 *  and nothing is missed. */
export function checkPaths(flow: Flow): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const waiting: Step[] = [
    { identifier: flow.startAction, state: { streaming: false, configured: false, hasResult: false }, path: [] },
  ];
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    const action = flow.byIdentifier.get(step.identifier);
    const key = JSON.stringify([step.identifier, step.state]);
    if (action === undefined || seen.has(key)) continue;
    seen.add(key);
    const { state } = step;
    const path = [...step.path, action.identifier];
    for (const finding of faults(action, state)) findings.push({ ...finding, why: `${finding.why} ${way(path)}` });
    waiting.push(
      ...waysOut(action).map((branch) => ({ identifier: branch.to, state: after(action, branch, state), path })),
    );
  }
  if (!flow.actions.some(({ type }) => type === INVOKE)) {
    findings.push({
      action: WHOLE_FLOW,
      what: 'no-trigger',
      why: 'No action invokes the trigger: nothing is transcribed.',
    });
  }
  return findings;
}

function faults(action: Action, state: State): Finding[] {
  const { identifier, type, parameters } = action;
  const findings: Finding[] = [];
  const add = (what: Finding['what'], why: string) => findings.push({ action: identifier, what, why });
  if (type === INVOKE && !state.streaming) {
    add('not-streaming', 'The trigger would return fail: media streaming is off when it is invoked.');
  }
  if (type === INVOKE && !state.configured) {
    add('no-parameters', 'The trigger would start a session without dg_ attributes, and so without a callback.');
  }
  if (setsStreaming(action, 'Enabled') && state.streaming) {
    add('streaming-twice', 'Media streaming is already on: start it once.');
  }
  if (type === COMPARE && parameters['ComparisonValue'] === RESULT && !state.hasResult) {
    add('stale-result', `${RESULT} is missing, or that of an earlier invocation: the last one returned none.`);
  }
  if (type === DISCONNECT && state.streaming) {
    add('streaming-left-on', 'The flow ends without a Stop media streaming block.');
  }
  return findings;
}

function after(action: Action, { kind }: Branch, state: State): State {
  const succeeded = kind !== 'error';
  if (setsStreaming(action, 'Enabled')) return { ...state, streaming: succeeded };
  // A flow can do no more than try.
  if (setsStreaming(action, 'Disabled')) return { ...state, streaming: false };
  if (action.type === INVOKE) return { ...state, hasResult: succeeded };
  if (action.type === ATTRIBUTES && setsParameters(action)) return { ...state, configured: succeeded };
  return state;
}

function setsParameters({ parameters: { Attributes: attributes } }: Action): boolean {
  return isJsonObject(attributes) && Object.keys(attributes).some((name) => name.startsWith('dg_'));
}

function way(path: readonly string[]): string {
  return `Path: ${path.join(' > ')}.`;
}
