import { breaksIn } from '../../trigger/flows/check/language.ts';
import { type ActionJson, actionIn, type FlowJson } from './our-flows.ts';

/** The lambdaResult of an invocation of the trigger; undefined if there is no response. */
type Result = string | undefined;

export type Circumstances = {
  /** Result of the trigger's invocation number `index`, from 0. */
  result?: (index: number) => Result;
  /** How long that invocation takes, in ms; an asynchronous one runs while the contact continues. */
  tookMs?: (index: number) => number;
  /** True if Connect takes the action's error branch. */
  fails?: (action: ActionJson) => boolean;
};

/** What a caller, the trigger and Kinesis observe of a flow. */
export type Happening =
  | { said: string }
  | { silentMs: number }
  | { streaming: boolean }
  | { waitedMs: number }
  | { invokedWith: Record<string, string> }
  | { hungUp: true }
  | { transferred: true };

/** What a prompt takes, at least. */
const PROMPT_MS = 2000;
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
    const outcome = contact.perform(action);
    if (action.Type === 'TransferContactToQueue' && !outcome.error)
      return [...contact.happenings, { transferred: true }];
    action = actionIn(flow, following(action, outcome));
  }
  throw new Error(`The flow is still running after ${MAX_STEPS} steps.`);
}

/** A contact in a flow: its state, and what has happened to it. */
class Contact {
  readonly happenings: Happening[] = [];
  readonly #result: (index: number) => Result;
  readonly #tookMs: (index: number) => number;
  readonly #fails: (action: ActionJson) => boolean;
  readonly #attributes: Record<string, string> = {};
  readonly #loops = new Map<string, number>();
  #invocations = 0;
  /** $.External.lambdaResult: the result of the last invocation that had one. */
  #external: Result;
  #nowMs = 0;
  /** The last asynchronous invocation: $.LambdaInvocation. */
  #invocation: { readonly result: Result; readonly readyAtMs: number } | undefined;

  constructor({ result = () => 'success', tookMs = () => 500, fails = () => false }: Circumstances) {
    this.#result = result;
    this.#tookMs = tookMs;
    this.#fails = fails;
  }

  perform(action: ActionJson): Outcome {
    if (this.#fails(action)) return { error: 'NoMatchingError' };
    const { Type: type, Parameters: parameters } = action;
    switch (type) {
      case 'MessageParticipant':
        return this.#speak(parameters);
      case 'UpdateContactMediaStreamingBehavior':
        this.happenings.push({ streaming: parameters['MediaStreamingState'] === 'Enabled' });
        return {};
      case 'UpdateContactAttributes':
        Object.assign(this.#attributes, parameters['Attributes']);
        return {};
      case 'InvokeLambdaFunction':
        return this.#invoke(parameters);
      case 'LoadLambdaResult':
        return this.#load();
      case 'Wait':
        return this.#wait(parameters);
      case 'TransferContactToQueue':
        return {};
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

  #speak(parameters: ActionJson['Parameters']): Outcome {
    const happenings = spoken(parameters);
    this.happenings.push(...happenings);
    for (const one of happenings) this.#nowMs += 'silentMs' in one ? one.silentMs : PROMPT_MS;
    return {};
  }

  #invoke({ InvocationType: type, InvocationTimeLimitSeconds: limit }: ActionJson['Parameters']): Outcome {
    this.happenings.push({ invokedWith: { ...this.#attributes } });
    const [result, tookMs] = [this.#result(this.#invocations), this.#tookMs(this.#invocations)];
    this.#invocations += 1;
    const response = tookMs > Number(limit) * 1000 ? undefined : result;
    if (type === 'ASYNCHRONOUS') {
      this.#invocation = { result: response, readyAtMs: this.#nowMs + tookMs };
      return {};
    }
    this.#nowMs += tookMs;
    return this.#respond(response);
  }

  #load(): Outcome {
    const { result, readyAtMs = Infinity } = this.#invocation ?? {};
    return this.#respond(readyAtMs <= this.#nowMs ? result : undefined);
  }

  /** Waits for the last asynchronous invocation. */
  #wait({ TimeLimitSeconds: limit, Events: events }: ActionJson['Parameters']): Outcome {
    const leftMs = (this.#invocation?.readyAtMs ?? Infinity) - this.#nowMs;
    const waitedMs = Math.max(0, Math.min(Number(limit) * 1000, leftMs));
    this.happenings.push({ waitedMs });
    this.#nowMs += waitedMs;
    return { result: waitedMs === leftMs && Array.isArray(events) ? String(events[0]) : 'WaitCompleted' };
  }

  #respond(result: Result): Outcome {
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

/** The words of a prompt, then its silence. */
function spoken({ Text: text, SSML: ssml }: Record<string, unknown>): ({ said: string } | { silentMs: number })[] {
  if (typeof text === 'string') return [{ said: text }];
  const words = String(ssml).replaceAll(/<[^>]*>/g, '');
  const silentMs = breaksIn(ssml).reduce((sum, ms) => sum + ms, 0);
  return [...(words === '' ? [] : [{ said: words }]), { silentMs }];
}
