import { type ActionJson, actionIn, type FlowJson } from './our-flows.ts';

/** The lambdaResult of an invocation of the trigger; undefined if there is no response. */
export type Result = string | undefined;

export type Circumstances = {
  /** Result of the trigger's invocation number `index`, from 0. */
  result?: (index: number) => Result;
  /** True if Connect takes the action's error branch. */
  fails?: (action: ActionJson) => boolean;
};

/** What a caller, the trigger and Kinesis observe of a flow. */
export type Happening =
  | { said: string }
  | { silentMs: number }
  | { streaming: boolean }
  | { invokedWith: Record<string, string> }
  | { hungUp: true };

/** More steps than any of our flows takes. */
const MAX_STEPS = 10_000;

/** The outcome of an action: a result for its conditions, or an error. */
type Outcome = { result?: string; error?: string };

/** Runs a contact through the flow by the rules of the flow language, and returns what happens. */
export function runFlow(flow: FlowJson, circumstances: Circumstances = {}): Happening[] {
  const contact = new Contact(circumstances);
  let action = actionIn(flow, flow.StartAction);
  for (let step = 0; step < MAX_STEPS; step += 1) {
    if (action.Type === 'DisconnectParticipant') return [...contact.happenings, { hungUp: true }];
    action = actionIn(flow, following(action, contact.perform(action)));
  }
  throw new Error(`The flow is still running after ${MAX_STEPS} steps.`);
}

/** A contact in a flow: its state, and what has happened to it. */
class Contact {
  readonly happenings: Happening[] = [];
  readonly #result: (index: number) => Result;
  readonly #fails: (action: ActionJson) => boolean;
  readonly #attributes: Record<string, string> = {};
  readonly #loops = new Map<string, number>();
  #invocations = 0;
  /** $.External.lambdaResult: the result of the last invocation that had one. */
  #external: Result;

  constructor({ result = () => 'success', fails = () => false }: Circumstances) {
    this.#result = result;
    this.#fails = fails;
  }

  perform(action: ActionJson): Outcome {
    if (this.#fails(action)) return { error: 'NoMatchingError' };
    const { Type: type, Parameters: parameters } = action;
    switch (type) {
      case 'MessageParticipant':
        this.happenings.push(spoken(parameters));
        return {};
      case 'UpdateContactMediaStreamingBehavior':
        this.happenings.push({ streaming: parameters['MediaStreamingState'] === 'Enabled' });
        return {};
      case 'UpdateContactAttributes':
        Object.assign(this.#attributes, parameters['Attributes']);
        return {};
      case 'InvokeLambdaFunction':
        return this.#invoke();
      case 'Compare':
        return this.#compare(action);
      case 'Loop':
        return this.#loop(action);
      case 'UpdateFlowLoggingBehavior':
        return {};
      default:
        throw new Error(`This runner cannot perform ${type}.`);
    }
  }

  #invoke(): Outcome {
    this.happenings.push({ invokedWith: { ...this.#attributes } });
    const result = this.#result(this.#invocations);
    this.#invocations += 1;
    if (result === undefined) return { error: 'NoMatchingError' };
    this.#external = result;
    return {};
  }

  #compare({ Transitions }: ActionJson): Outcome {
    const external = this.#external;
    const matches = Transitions.Conditions?.some(({ Condition }) => Condition.Operands[0] === external);
    return matches && external !== undefined ? { result: external } : { error: 'NoMatchingCondition' };
  }

  #loop({ Identifier: identifier, Parameters: parameters }: ActionJson): Outcome {
    const done = this.#loops.get(identifier) ?? 0;
    const isOver = done === Number(parameters['LoopCount']);
    this.#loops.set(identifier, isOver ? 0 : done + 1);
    return { result: isOver ? 'DoneLooping' : 'ContinueLooping' };
  }
}

function following({ Identifier, Transitions }: ActionJson, outcome: Outcome): string {
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
