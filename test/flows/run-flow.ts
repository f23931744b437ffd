import { type ActionJson, actionIn, type FlowJson } from './our-flows.ts';

/** What the trigger does when it is invoked: it answers this as lambdaResult, or, undefined, it does not answer. */
export type Answer = string | undefined;

export type World = {
  /** What the trigger does at its `index`th invocation, from 0. */
  answer?: (index: number) => Answer;
  /** Whether Connect takes the action's error branch. */
  fails?: (action: ActionJson) => boolean;
};

/** What a caller, the trigger and Kinesis notice of a flow. */
export type Happening =
  | { said: string }
  | { silentMs: number }
  | { streaming: boolean }
  | { invokedWith: Record<string, string> }
  | { hungUp: true };

/** More steps than any of our flows can take. */
const MAX_STEPS = 10_000;

/** Runs a contact through the flow by the rules of the flow language, and tells what happens. */
export function runFlow(flow: FlowJson, { answer = () => 'success', fails = () => false }: World = {}): Happening[] {
  const happenings: Happening[] = [];
  const attributes: Record<string, string> = {};
  const loops = new Map<string, number>();
  let invocations = 0;
  // What the last invocation that was answered left there.
  let external: Answer;

  /** Does what the action does; gives its result for its conditions, or its error. */
  const perform = (action: ActionJson): { result?: string; error?: string } => {
    const { Identifier: identifier, Type: type, Parameters: parameters } = action;
    if (fails(action)) return { error: 'NoMatchingError' };
    switch (type) {
      case 'MessageParticipant':
        happenings.push(spoken(parameters));
        return {};
      case 'UpdateContactMediaStreamingBehavior':
        happenings.push({ streaming: parameters['MediaStreamingState'] === 'Enabled' });
        return {};
      case 'UpdateContactAttributes':
        Object.assign(attributes, parameters['Attributes']);
        return {};
      case 'InvokeLambdaFunction': {
        happenings.push({ invokedWith: { ...attributes } });
        const answered = answer(invocations);
        invocations += 1;
        if (answered === undefined) return { error: 'NoMatchingError' };
        external = answered;
        return {};
      }
      case 'Compare': {
        const matches = action.Transitions.Conditions?.some(({ Condition }) => Condition.Operands[0] === external);
        return matches && external !== undefined ? { result: external } : { error: 'NoMatchingCondition' };
      }
      case 'Loop': {
        const done = loops.get(identifier) ?? 0;
        const isOver = done === Number(parameters['LoopCount']);
        loops.set(identifier, isOver ? 0 : done + 1);
        return { result: isOver ? 'DoneLooping' : 'ContinueLooping' };
      }
      case 'UpdateFlowLoggingBehavior':
        return {};
      default:
        throw new Error(`This runner cannot perform ${type}.`);
    }
  };

  let action = actionIn(flow, flow.StartAction);
  for (let step = 0; step < MAX_STEPS; step += 1) {
    if (action.Type === 'DisconnectParticipant') return [...happenings, { hungUp: true }];
    action = actionIn(flow, following(action, perform(action)));
  }
  throw new Error(`The flow still runs after ${MAX_STEPS} steps.`);
}

function following({ Identifier, Transitions }: ActionJson, outcome: { result?: string; error?: string }): string {
  const { NextAction, Conditions = [], Errors = [] } = Transitions;
  const { result, error } = outcome;
  const to =
    error !== undefined
      ? Errors.find(({ ErrorType }) => ErrorType === error)?.NextAction
      : (Conditions.find(({ Condition }) => Condition.Operands[0] === result)?.NextAction ?? NextAction);
  if (to === undefined) throw new Error(`The contact ends at "${Identifier}": nothing follows ${error ?? result}.`);
  return to;
}

function spoken(parameters: Record<string, unknown>): Happening {
  const { Text: text, SSML: ssml } = parameters;
  if (typeof text === 'string') return { said: text };
  const breaks = [...String(ssml).matchAll(/<break time="(\d+)ms"\/>/g)].map(([, ms]) => Number(ms));
  return { silentMs: breaks.reduce((sum, ms) => sum + ms, 0) };
}
