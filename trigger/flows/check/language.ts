import type { Action, Branch } from './flow.ts';

/** The only version of the flow language. */
export const FLOW_LANGUAGE_VERSION = '2019-10-30';
/** Amazon Connect's limit per flow. */
export const MAX_ACTIONS = 250;
export const MAX_IDENTIFIER_LENGTH = 50;
/** Characters that an identifier must not contain. */
export const NOT_IN_IDENTIFIERS = /[%:(\\/)=$,;[\]{}]/;
/** Reserved identifiers: properties of every JavaScript object. */
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
/** Load Lambda result. Amazon's documentation of the flow language lacks it: type and parameter are a guess. */
export const LOAD = 'LoadLambdaResult';
export const WAIT = 'Wait';
export const MESSAGE = 'MessageParticipant';
export const COMPARE = 'Compare';
export const LOOP = 'Loop';
export const DISCONNECT = 'DisconnectParticipant';

/** The branches of a type of action. */
type Grammar = {
  /** Each must be wired: an unwired error ends the contact. */
  errors: readonly string[];
  /** Values of the conditions that must be wired; `any` if the flow chooses them. */
  conditions?: readonly string[] | 'any';
  /** The branch that the editor repeats as NextAction, because the action has no plain success. */
  default?: string;
  /** Set if the flow ends when the action succeeds. */
  ends?: true;
};

const GRAMMAR: Readonly<Record<string, Grammar>> = {
  UpdateFlowLoggingBehavior: { errors: [] },
  [MESSAGE]: { errors: ['NoMatchingError'] },
  [STREAMING]: { errors: ['NoMatchingError'] },
  [ATTRIBUTES]: { errors: ['NoMatchingError'] },
  [INVOKE]: { errors: ['NoMatchingError'] },
  [LOAD]: { errors: ['NoMatchingError'] },
  [WAIT]: { errors: ['NoMatchingError'], conditions: 'any', default: 'WaitCompleted' },
  [COMPARE]: { errors: ['NoMatchingCondition'], conditions: 'any', default: 'NoMatchingCondition' },
  [LOOP]: { errors: [], conditions: ['ContinueLooping', 'DoneLooping'], default: 'DoneLooping' },
  UpdateContactTargetQueue: { errors: ['NoMatchingError'] },
  TransferContactToQueue: { errors: ['QueueAtCapacity', 'NoMatchingError'], ends: true },
  TransferToFlow: { errors: ['NoMatchingError'], ends: true },
  [DISCONNECT]: { errors: [], ends: true },
};

/** The grammar of an action's type; undefined for an unknown type. */
export function grammarOf({ type }: Action): Grammar | undefined {
  return Object.hasOwn(GRAMMAR, type) ? GRAMMAR[type] : undefined;
}

/** True if a path may end with this action. */
export function endsFlow(action: Action): boolean {
  return grammarOf(action)?.ends === true;
}

/** The branches that a contact can take: not a NextAction that repeats another branch or follows the end. */
export function waysOut(action: Action): readonly Branch[] {
  const grammar = grammarOf(action);
  const hasNext = grammar?.default === undefined && grammar?.ends === undefined;
  return action.branches.filter(({ kind }) => hasNext || kind !== 'next');
}

/** True if the action sets media streaming to `state`. */
export function setsStreaming({ type, parameters }: Action, state: 'Enabled' | 'Disabled'): boolean {
  return type === STREAMING && parameters['MediaStreamingState'] === state;
}

/** True if the contact continues before the trigger has responded. */
export function isAsynchronous({ type, parameters }: Action): boolean {
  return type === INVOKE && parameters['InvocationType'] === 'ASYNCHRONOUS';
}

/** Lengths of the breaks in SSML, in ms. */
export function breaksIn(ssml: unknown): number[] {
  return [...String(ssml ?? '').matchAll(/<break time="(\d+)ms"\/>/g)].map(([, ms]) => Number(ms));
}
