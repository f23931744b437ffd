import type { Finding } from './finding.ts';
import type { Action, Branch, Flow } from './flow.ts';
import { DISCONNECT, endsFlow, grammarOf, LOOP, setsStreaming, waysOut } from './language.ts';
import { reachable, reachableFrom } from './reach.ts';
import { onSuccess } from './result.ts';
import { branchName } from './structure.ts';
import type { FlowWithTriggers } from './triggers.ts';

/** No caller is kept forever, and no call is hung up because transcription failed. */
export function checkCaller(flow: FlowWithTriggers): Finding[] {
  const triggers = [...reachable(flow)].filter((action) => flow.triggers.has(action));
  const lost = triggers.flatMap((trigger) => {
    const success = onSuccess(trigger, flow);
    return success === undefined ? [] : lostCallers(flow, theCall(flow, success));
  });
  return [...checkEndless(flow), ...distinct([...lost, ...hangUpsByError(flow)])];
}

/** A Loop block ends by itself, and a block that we do not know may wait for the caller; any other cycle does not end. */
function checkEndless(flow: Flow): Finding[] {
  return [...reachable(flow)]
    .filter((action) => isInCycle(action, flow))
    .map(({ identifier }) => ({
      action: identifier,
      what: 'endless',
      why: 'A path leads back here without the ContinueLooping of a Loop block: the caller may never leave it.',
    }));
}

function isInCycle(action: Action, flow: Flow): boolean {
  const onward = (at: Action) =>
    grammarOf(at) === undefined ? [] : waysOut(at).filter(({ on }) => at.type !== LOOP || on !== 'ContinueLooping');
  return reachableFrom(flow, onward(action), onward).has(action);
}

/** The call itself: the actions that every contact passes after transcription has started, without the cleanup at the
 *  end. */
function theCall(flow: Flow, success: string): Set<Action> {
  const from = [{ kind: 'next', on: '', to: success } satisfies Branch];
  const isCleanup = (action: Action) => action.type === DISCONNECT || setsStreaming(action, 'Disabled');
  const canEndWithout = (removed: Action) => [...reachableFrom(flow, from, waysOut, new Set([removed]))].some(endsFlow);
  return new Set(
    [...reachableFrom(flow, from, waysOut)].filter((action) => !isCleanup(action) && !canEndWithout(action)),
  );
}

/** Every branch that leads directly to a hang-up before the call. */
function lostCallers(flow: Flow, call: ReadonlySet<Action>): Finding[] {
  const start: Branch = { kind: 'next', on: '', to: flow.startAction };
  return [...reachableFrom(flow, [start], waysOut, call)].flatMap((action) =>
    waysOut(action)
      .filter(({ kind }) => kind !== 'next' || action.identifier === flow.startAction)
      .filter((branch) => hangsUp(flow, branch, call))
      .map((branch) => lostBy(action, branch)),
  );
}

/** Every error that leads directly to a hang-up where the action's success does not. */
function hangUpsByError(flow: Flow): Finding[] {
  return [...reachable(flow)].flatMap((action) => {
    const [next, ...others] = waysOut(action);
    if (next?.kind !== 'next' || hangsUp(flow, next)) return [];
    return others.filter((branch) => hangsUp(flow, branch)).map((branch) => lostBy(action, branch));
  });
}

/** True if the branch leads to a hang-up without a decision, and without an action of `call`, in between. */
function hangsUp(flow: Flow, branch: Branch, call?: ReadonlySet<Action>): boolean {
  const plainly = (at: Action) => waysOut(at).filter(({ kind }) => kind === 'next');
  return [...reachableFrom(flow, [branch], plainly, call)].some(({ type }) => type === DISCONNECT);
}

function lostBy({ identifier }: Action, branch: Branch): Finding {
  const why = `${branchName(branch)} hangs up on the caller, without the call that follows a success.`;
  return { action: identifier, what: 'caller-lost', why };
}

function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}
