import { isJsonObject } from '../../json.ts';
import { type Finding, WHOLE_FLOW } from './finding.ts';
import type { Action, Branch, Flow } from './flow.ts';
import {
  ATTRIBUTES,
  breaksIn,
  COMPARE,
  DISCONNECT,
  INVOKE,
  isAsynchronous,
  LOAD,
  MESSAGE,
  setsStreaming,
  WAIT,
  waysOut,
} from './language.ts';

/** Where the flow finds the trigger's result. */
export const RESULT = '$.External.lambdaResult';

/** The state of a path that later actions depend on. */
type State = {
  streaming: boolean;
  /** True if the last block that sets dg_ attributes succeeded. */
  configured: boolean;
  /** True if the last invocation of the trigger returned a result, and that was loaded if it was asynchronous. */
  hasResult: boolean;
  /** How long the trigger has been running at least, up to TRIGGER_MS; undefined without an asynchronous invocation. */
  runningMs: number | undefined;
};

/** The trigger responds within this time (trigger/README.md). */
const TRIGGER_MS = 7000;

const START: State = { streaming: false, configured: false, hasResult: false, runningMs: undefined };

type Step = { identifier: string; state: State; path: readonly string[] };

/** Walks every path from the start. Paths that reach an action in the same state are followed only once, so loops end
 *  and nothing is missed. */
export function checkPaths(flow: Flow): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const waiting: Step[] = [{ identifier: flow.startAction, state: START, path: [] }];
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
  if (type === LOAD && state.runningMs === undefined) {
    add('stale-result', 'There is no asynchronous invocation whose result it could load.');
  }
  if (type === LOAD && state.runningMs !== undefined && state.runningMs < TRIGGER_MS) {
    const why = 'The trigger may still be running: it needs 7 s of the call (SSML breaks, a Wait) before this.';
    add('result-too-early', why);
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
  if (action.type === INVOKE) {
    const isRunning = succeeded && isAsynchronous(action);
    return { ...state, hasResult: succeeded && !isRunning, runningMs: isRunning ? 0 : undefined };
  }
  if (action.type === LOAD) return { ...state, hasResult: succeeded };
  if (action.type === ATTRIBUTES && setsParameters(action)) return { ...state, configured: succeeded };
  if (state.runningMs === undefined) return state;
  return { ...state, runningMs: Math.min(TRIGGER_MS, state.runningMs + durationMs(action)) };
}

/** How long the action takes at least; prompts count only their breaks. */
function durationMs({ type, parameters }: Action): number {
  if (type === WAIT) return Number(parameters['TimeLimitSeconds']) * 1000;
  return type === MESSAGE ? breaksIn(parameters['SSML']).reduce((sum, ms) => sum + ms, 0) : 0;
}

function setsParameters({ parameters: { Attributes: attributes } }: Action): boolean {
  return isJsonObject(attributes) && Object.keys(attributes).some((name) => name.startsWith('dg_'));
}

function way(path: readonly string[]): string {
  return `Path: ${path.join(' > ')}.`;
}
