import type { Action, Branch } from './flow.ts';

/** The only version of the flow language that there is. */
export const FLOW_LANGUAGE_VERSION = '2019-10-30';
/** The most actions that Amazon Connect takes in one flow. */
export const MAX_ACTIONS = 250;
export const MAX_IDENTIFIER_LENGTH = 50;
/** Characters that an identifier must not have. */
export const NOT_IN_IDENTIFIERS = /[%:(\\/)=$,;[\]{}]/;
/** What an identifier must not be: names that every object of JavaScript has. */
export const NOT_IDENTIFIERS: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  '__defineGetter__',
  '__defineSetter__',
  'toString',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'toLocaleString',
  'valueOf',
]);

export const STREAMING = 'UpdateContactMediaStreamingBehavior';
export const ATTRIBUTES = 'UpdateContactAttributes';
export const INVOKE = 'InvokeLambdaFunction';
export const MESSAGE = 'MessageParticipant';
export const COMPARE = 'Compare';
export const LOOP = 'Loop';
export const DISCONNECT = 'DisconnectParticipant';

/** How the flow language lets an action of one type go on. */
type Grammar = {
  /** Every one of them has to be wired: an error that is not ends the contact. */
  errors: readonly string[];
  /** Values of the conditions that have to be wired; `any` when the flow chooses them. */
  conditions?: readonly string[] | 'any';
  /** The branch that the editor repeats as NextAction, because such an action has no plain success. */
  default?: string;
  /** The flow is over when this action succeeds. */
  ends?: true;
};

const GRAMMAR: Readonly<Record<string, Grammar>> = {
  UpdateFlowLoggingBehavior: { errors: [] },
  [MESSAGE]: { errors: ['NoMatchingError'] },
  [STREAMING]: { errors: ['NoMatchingError'] },
  [ATTRIBUTES]: { errors: ['NoMatchingError'] },
  [INVOKE]: { errors: ['NoMatchingError'] },
  [COMPARE]: { errors: ['NoMatchingCondition'], conditions: 'any', default: 'NoMatchingCondition' },
  [LOOP]: { errors: [], conditions: ['ContinueLooping', 'DoneLooping'], default: 'DoneLooping' },
  UpdateContactTargetQueue: { errors: ['NoMatchingError'] },
  TransferContactToQueue: { errors: ['QueueAtCapacity', 'NoMatchingError'], ends: true },
  TransferToFlow: { errors: ['NoMatchingError'], ends: true },
  [DISCONNECT]: { errors: [], ends: true },
};

/** The grammar of an action's type; undefined for a type that the checker does not know. */
export function grammarOf({ type }: Action): Grammar | undefined {
  return Object.hasOwn(GRAMMAR, type) ? GRAMMAR[type] : undefined;
}

/** Whether a path may end with this action. */
export function endsFlow(action: Action): boolean {
  return grammarOf(action)?.ends === true;
}

/** The branches that a contact can take: NextAction is none where it only repeats another, or nothing follows. */
export function waysOut(action: Action): readonly Branch[] {
  const grammar = grammarOf(action);
  const hasNext = grammar?.default === undefined && grammar?.ends === undefined;
  return action.branches.filter(({ kind }) => hasNext || kind !== 'next');
}

/** Whether the action switches media streaming to `state`. */
export function setsStreaming({ type, parameters }: Action, state: 'Enabled' | 'Disabled'): boolean {
  return type === STREAMING && parameters['MediaStreamingState'] === state;
}
