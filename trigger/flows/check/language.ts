import { isJsonObject } from '../../json.ts';
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
  /** The error that a decision needs; the editor leaves other errors unwired. */
  error?: string;
  /** Values of the conditions that must be wired; none if the flow chooses them. */
  conditions?: readonly string[];
  /** The branch that the editor repeats as NextAction, because the action has no plain success. */
  default?: string;
  /** Set if the flow ends when the action succeeds. */
  ends?: true;
};

const GRAMMAR: Readonly<Record<string, Grammar>> = {
  UpdateFlowLoggingBehavior: {},
  [MESSAGE]: {},
  [STREAMING]: {},
  [ATTRIBUTES]: {},
  [INVOKE]: {},
  [LOAD]: {},
  [WAIT]: { default: 'WaitCompleted' },
  [COMPARE]: { error: 'NoMatchingCondition', default: 'NoMatchingCondition' },
  [LOOP]: { conditions: ['ContinueLooping', 'DoneLooping'], default: 'DoneLooping' },
  UpdateContactTargetQueue: {},
  TransferContactToQueue: { ends: true },
  TransferToFlow: { ends: true },
  [DISCONNECT]: { ends: true },
};

/** The grammar of an action's type; undefined for an unknown type, whose transitions are followed without checks. */
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

/** True if the action sets `dg_` attributes. */
export function setsDeepgramParameters({ type, parameters: { Attributes: attributes } }: Action): boolean {
  return (
    type === ATTRIBUTES && isJsonObject(attributes) && Object.keys(attributes).some((name) => name.startsWith('dg_'))
  );
}

/** Lengths of the breaks in SSML, in ms. */
export function breaksIn(ssml: unknown): number[] {
  const breaks = String(ssml ?? '').matchAll(/<break\s+time="([\d.]+)(ms|s)"\s*\/>/g);
  return [...breaks].map(([, length, unit]) => Number(length) * (unit === 's' ? 1000 : 1));
}
