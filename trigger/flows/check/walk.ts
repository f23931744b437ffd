import type { Finding } from './finding.ts';
import type { Action, Branch } from './flow.ts';
import {
  breaksIn,
  COMPARE,
  DISCONNECT,
  INVOKE,
  isAsynchronous,
  LOAD,
  MESSAGE,
  setsDeepgramParameters,
  setsStreaming,
  WAIT,
  waysOut,
} from './language.ts';
import { RESULT } from './result-reading.ts';
import type { FlowWithTriggers } from './triggers.ts';

/** The state of a path that later actions depend on. */
type State = {
  /** True on a path that an error leads to. */
  hasFailed: boolean;
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

const START: State = { hasFailed: false, streaming: false, configured: false, hasResult: false, runningMs: undefined };

type Step = { identifier: string; state: State; path: readonly string[] };

/** Walks every path from the start. Paths that reach an action in the same state are followed only once, so loops end
 *  and nothing is missed. */
export function checkPaths(flow: FlowWithTriggers): Finding[] {
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
    for (const finding of faults(action, state, flow))
      findings.push({ ...finding, why: `${finding.why} ${way(path)}` });
    waiting.push(
      ...waysOut(action).map((branch) => ({ identifier: branch.to, state: after(action, branch, state, flow), path })),
    );
  }
  return findings;
}

function faults(action: Action, state: State, { triggers }: FlowWithTriggers): Finding[] {
  const { identifier, type, parameters } = action;
  if (triggers.has(action)) return triggerFaults(identifier, state);
  const finding = (what: Finding['what'], why: string): Finding => ({ action: identifier, what, why });
  if (setsStreaming(action, 'Enabled') && state.streaming)
    return [finding('streaming-twice', 'Media streaming is already on: start it once.')];
  if (type === COMPARE && parameters['ComparisonValue'] === RESULT && !state.hasResult) {
    const why = `${RESULT} is missing, or that of an earlier invocation: the last one returned none.`;
    return [finding('stale-result', why)];
  }
  if (type === LOAD && state.runningMs === undefined)
    return [finding('stale-result', 'There is no asynchronous invocation whose result it could load.')];
  if (type === LOAD && (state.runningMs ?? 0) < TRIGGER_MS) {
    const why = 'The trigger may still be running: it needs 7 s of the call (SSML breaks, a Wait) before this.';
    return [finding('result-too-early', why)];
  }
  if (type === DISCONNECT && state.streaming)
    return [finding('streaming-left-on', 'The flow ends without a Stop media streaming block.')];
  return [];
}

function triggerFaults(action: string, { streaming, hasFailed, configured }: State): Finding[] {
  const findings: Finding[] = [];
  if (!streaming) {
    const why = 'The trigger returns fail: media streaming is off when it is invoked.';
    findings.push({ action, what: hasFailed ? 'may-not-stream' : 'not-streaming', why });
  }
  if (!configured) {
    const why = 'The trigger would start a session without dg_ attributes, and so without a callback.';
    findings.push({ action, what: 'no-parameters', why });
  }
  return findings;
}

function after(action: Action, { kind, on }: Branch, before: State, { triggers }: FlowWithTriggers): State {
  const succeeded = kind !== 'error';
  // No matching condition is a decision.
  const state = { ...before, hasFailed: before.hasFailed || (!succeeded && on !== 'NoMatchingCondition') };
  if (setsStreaming(action, 'Enabled')) return { ...state, streaming: succeeded };
  // On an error too: a flow can do no more than try.
  if (setsStreaming(action, 'Disabled')) return { ...state, streaming: false };
  // Another function's result takes the place of the trigger's.
  if (action.type === INVOKE && !triggers.has(action)) return { ...state, hasResult: false };
  if (action.type === INVOKE) {
    const isRunning = succeeded && isAsynchronous(action);
    return { ...state, hasResult: succeeded && !isRunning, runningMs: isRunning ? 0 : undefined };
  }
  if (action.type === LOAD) return { ...state, hasResult: succeeded };
  if (setsDeepgramParameters(action)) return { ...state, configured: succeeded };
  if (state.runningMs === undefined) return state;
  return { ...state, runningMs: Math.min(TRIGGER_MS, state.runningMs + durationMs(action)) };
}

/** How long the action takes at least; prompts count only their breaks. */
function durationMs({ type, parameters }: Action): number {
  if (type === WAIT) return Number(parameters['TimeLimitSeconds']) * 1000;
  return type === MESSAGE ? breaksIn(parameters['SSML']).reduce((sum, ms) => sum + ms, 0) : 0;
}

function way(path: readonly string[]): string {
  return `Path: ${path.join(' > ')}.`;
}
