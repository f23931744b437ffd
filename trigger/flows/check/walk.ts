import { isJsonObject } from '../../json.ts';
import { type Finding, WHOLE_FLOW } from './finding.ts';
import type { Action, Branch, Flow } from './flow.ts';
import { ATTRIBUTES, COMPARE, DISCONNECT, INVOKE, setsStreaming, waysOut } from './language.ts';

/** Where in the flow the trigger's answer is. */
export const ANSWER = '$.External.lambdaResult';

/** What a path has done so far, as far as it matters for what may come. */
type State = {
  streaming: boolean;
  /** Whether the last block that sets dg_ attributes did set them. */
  configured: boolean;
  /** Whether the last invocation of the trigger was answered. */
  answered: boolean;
};

type Step = { identifier: string; state: State; path: readonly string[] };

/** Walks every path from the start. Two paths that come to an action in the same state are one from there on,
 *  which is how a loop ends and nothing is missed. */
export function checkPaths(flow: Flow): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const waiting: Step[] = [
    { identifier: flow.startAction, state: { streaming: false, configured: false, answered: false }, path: [] },
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
    add('not-streaming', 'The trigger would answer fail: media streaming is not on when it is invoked.');
  }
  if (type === INVOKE && !state.configured) {
    add('no-parameters', 'The trigger would start a session without its dg_ attributes, callback included.');
  }
  if (setsStreaming(action, 'Enabled') && state.streaming) {
    add('streaming-twice', 'Media streaming is on already: start it once.');
  }
  if (type === COMPARE && parameters['ComparisonValue'] === ANSWER && !state.answered) {
    add('stale-answer', `${ANSWER} is not there, or that of an earlier invocation: the last had no answer.`);
  }
  if (type === DISCONNECT && state.streaming) {
    add('streaming-left-on', 'The flow ends without a Stop media streaming block.');
  }
  return findings;
}

function after(action: Action, { kind }: Branch, state: State): State {
  const succeeded = kind !== 'error';
  if (setsStreaming(action, 'Enabled')) return { ...state, streaming: succeeded };
  // Tried is as much as a flow can do.
  if (setsStreaming(action, 'Disabled')) return { ...state, streaming: false };
  if (action.type === INVOKE) return { ...state, answered: succeeded };
  if (action.type === ATTRIBUTES && setsParameters(action)) return { ...state, configured: succeeded };
  return state;
}

function setsParameters({ parameters: { Attributes: attributes } }: Action): boolean {
  return isJsonObject(attributes) && Object.keys(attributes).some((name) => name.startsWith('dg_'));
}

function way(path: readonly string[]): string {
  return `Path: ${path.join(' > ')}.`;
}
