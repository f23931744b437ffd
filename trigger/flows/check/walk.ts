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
import { reachableFrom } from './reach.ts';
import { RESULT } from './result-reading.ts';
import type { FlowWithTriggers } from './triggers.ts';

/** The state of a path that later actions depend on. */
type State = {
  /** True on a path that an error leads to. */
  hasFailed: boolean;
  /** `unstarted` until this flow starts it; `off` if its start failed; `unknown` where another flow or a module may
   *  have started it. */
  streaming: 'on' | 'off' | 'stopped' | 'unstarted' | 'unknown';
  /** True if the last block that sets dg_ attributes succeeded. */
  configured: boolean;
  /** True if the last invocation of the trigger returned a result, and that was loaded if it was asynchronous. */
  hasResult: boolean;
  /** How long the trigger has been running at least, up to TRIGGER_MS; undefined without an asynchronous invocation. */
  runningMs: number | undefined;
};

/** The trigger responds within this time (trigger/README.md). */
const TRIGGER_MS = 7000;

const START: State = {
  hasFailed: false,
  streaming: 'unstarted',
  configured: false,
  hasResult: false,
  runningMs: undefined,
};

/** What Connect knows of a contact's streams: there are none until media streaming is started. */
const STREAMS = '$.MediaStreams.';
const MODULE = 'InvokeFlowModule';

const IS_OFF = 'The trigger returns fail: media streaming is off when it is invoked.';
const MAY_BE_OFF =
  'The trigger returns fail unless another flow or a module has started media streaming: if none has, start it here.';
/** Connect's event still names the stream, with StopTimestamp and StopFragmentNumber
 *  (DefinitelyTyped, aws-lambda/trigger/connect-contact-flow.d.ts). */
const AFTER_STOP =
  'Media streaming is stopped when the trigger is invoked: what is said now is not transcribed. What was said before ' +
  'the stop is transcribed once more; if there was nothing, the trigger returns fail. Start media streaming again first.';

type Step = { identifier: string; state: State; path: readonly string[] };

/** Walks every path from the start. Paths that reach an action in the same state are followed only once, so loops end
 *  and nothing is missed. */
export function checkPaths(flow: FlowWithTriggers): Finding[] {
  const findings = new Map<string, { readonly finding: Finding; readonly path: readonly string[]; ways: number }>();
  const seen = new Set<string>();
  const start: State = flow.isInbound ? START : { ...START, streaming: 'unknown' };
  const waiting: Step[] = [{ identifier: flow.startAction, state: start, path: [] }];
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    const action = flow.byIdentifier.get(step.identifier);
    const key = JSON.stringify([step.identifier, step.state]);
    if (action === undefined || seen.has(key)) continue;
    seen.add(key);
    const { state } = step;
    const path = [...step.path, action.identifier];
    for (const finding of faults(action, state, flow)) {
      const known = findings.get(JSON.stringify(finding));
      if (known) known.ways += 1;
      else findings.set(JSON.stringify(finding), { finding, path, ways: 1 });
    }
    waiting.push(
      ...waysOut(action).map((branch) => ({ identifier: branch.to, state: after(action, branch, state, flow), path })),
    );
  }
  return [...findings.values()].map(({ finding, path, ways }) => ({
    ...finding,
    why: `${finding.why} ${way(path, ways - 1)}`,
  }));
}

function faults(action: Action, state: State, flow: FlowWithTriggers): Finding[] {
  const { identifier, type, parameters } = action;
  if (flow.triggers.has(action)) return triggerFaults(action, state, flow);
  const finding = (what: Finding['what'], why: string): Finding => ({ action: identifier, what, why });
  if (setsStreaming(action, 'Enabled') && state.streaming === 'on')
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
  if (type === DISCONNECT && state.streaming === 'on')
    return [finding('streaming-left-on', 'The flow ends without a Stop media streaming block.')];
  return [];
}

function triggerFaults(action: Action, state: State, flow: FlowWithTriggers): Finding[] {
  const streaming = streamingFault(action, state, flow);
  if (state.configured) return streaming;
  const why =
    "The trigger would start a session without dg_ attributes: with Deepgram's defaults, and without a callback.";
  return [...streaming, { action: action.identifier, what: 'no-parameters', why }];
}

function streamingFault(action: Action, { streaming, hasFailed }: State, flow: FlowWithTriggers): Finding[] {
  if (streaming === 'on') return [];
  const finding = (what: Finding['what'], why: string) => [{ action: action.identifier, what, why }];
  const certain = hasFailed ? 'may-not-stream' : 'not-streaming';
  if (streaming === 'stopped') return finding(certain, AFTER_STOP);
  if (streaming === 'off' || (streaming === 'unstarted' && startsTooLate(action, flow)))
    return finding(certain, IS_OFF);
  return finding('may-not-stream', MAY_BE_OFF);
}

/** True if the flow starts media streaming, but comes to this trigger first unless something fails: then it counts on
 *  no other flow to start it. Otherwise another one may have: Transfer to flow leads to inbound flows too. */
function startsTooLate(trigger: Action, flow: FlowWithTriggers): boolean {
  const starts = flow.actions.filter((action) => setsStreaming(action, 'Enabled'));
  const begin: Branch = { kind: 'next', on: '', to: flow.startAction };
  const reached = reachableFrom(flow, [begin], (action) => waysOut(action).filter((branch) => !isFailure(branch)));
  const onward = starts.filter((start) => reached.has(start)).flatMap(waysOut);
  return starts.length > 0 && !reachableFrom(flow, onward, waysOut).has(trigger);
}

function after(action: Action, branch: Branch, before: State, { triggers }: FlowWithTriggers): State {
  const succeeded = branch.kind !== 'error';
  const state = { ...before, hasFailed: before.hasFailed || isFailure(branch) };
  const streaming = streamingAfter(action, branch.kind, before.streaming);
  if (streaming !== undefined) return { ...state, streaming };
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

function isFailure({ kind, on }: Branch): boolean {
  // No matching condition is a decision.
  return kind === 'error' && on !== 'NoMatchingCondition';
}

/** Whether media is streamed after that way out of the action; undefined if the action has no say in it. */
function streamingAfter(
  action: Action,
  kind: Branch['kind'],
  before: State['streaming'],
): State['streaming'] | undefined {
  if (setsStreaming(action, 'Enabled')) {
    if (kind !== 'error') return 'on';
    return before === 'stopped' ? 'stopped' : 'off';
  }
  // On an error too: a flow can do no more than try.
  if (setsStreaming(action, 'Disabled')) return 'stopped';
  if (action.type === MODULE && before !== 'on') return 'unknown';
  const isAboutStreams = String(action.parameters['ComparisonValue'] ?? '').startsWith(STREAMS);
  if (action.type === COMPARE && isAboutStreams && kind === 'condition' && before !== 'stopped') return 'on';
  return undefined;
}

/** How long the action takes at least; prompts count only their breaks. */
function durationMs({ type, parameters }: Action): number {
  if (type === WAIT) return Number(parameters['TimeLimitSeconds']) * 1000;
  return type === MESSAGE ? breaksIn(parameters['SSML']).reduce((sum, ms) => sum + ms, 0) : 0;
}

function way(path: readonly string[], others: number): string {
  const more = others > 0 ? `, and ${others} ${others === 1 ? 'other' : 'others'}` : '';
  return `Path: ${path.join(' > ')}${more}.`;
}
