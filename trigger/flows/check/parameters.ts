import { readAttributes } from '../../attributes.ts';
import { TriggerFailure } from '../../failure.ts';
import { isJsonObject, valueAt } from '../../json.ts';
import type { Finding } from './finding.ts';
import type { Action, Flow } from './flow.ts';
import { ATTRIBUTES, breaksIn, INVOKE, isAsynchronous, LOAD, LOOP, MESSAGE, STREAMING, WAIT } from './language.ts';

/** Connect's longest limit while the contact waits; the trigger needs up to 7 s of it (trigger/README.md). */
const LAMBDA_TIME_LIMIT_S = 8;
/** Connect's longest limit for an asynchronous invocation. */
const ASYNCHRONOUS_TIME_LIMIT_S = 60;
/** The last asynchronous invocation. */
const INVOCATION_ID = '$.LambdaInvocation.InvocationId';
/** Limit of the Loop block. */
const MAX_LOOP_COUNT = 100;
/** Amazon Polly, which speaks the prompts, cuts longer breaks. */
const MAX_BREAK_MS = 10_000;
/** In place of the contact id in attributes. */
const SOME_CONTACT_ID = '00000000-0000-0000-0000-000000000000';

/** The faults of an action, each with its remedy. */
type Faults = (action: Action) => string[];

const FAULTS: Readonly<Record<string, Faults>> = {
  [STREAMING]: streamingFaults,
  [INVOKE]: invokeFaults,
  [LOAD]: loadFaults,
  [WAIT]: waitFaults,
  [MESSAGE]: messageFaults,
  [LOOP]: loopFaults,
};

/** Checks the actions' own parameters. */
export function checkParameters({ actions }: Flow): Finding[] {
  return actions.flatMap((action) => {
    const faults = Object.hasOwn(FAULTS, action.type) ? (FAULTS[action.type]?.(action) ?? []) : [];
    const findings: Finding[] = faults.map((why) => ({ action: action.identifier, what: 'bad-parameter', why }));
    return action.type === ATTRIBUTES ? [...findings, ...checkAttributes(action)] : findings;
  });
}

function streamingFaults({ parameters }: Action): string[] {
  const participants = parameters['Participants'];
  const customer = Array.isArray(participants) && participants.length === 1 ? participants[0] : undefined;
  const directions = valueAt(customer, 'MediaDirections');
  const isBoth = Array.isArray(directions) && directions.toSorted().join() === 'From,To';
  return [
    ...(['Enabled', 'Disabled'].includes(String(parameters['MediaStreamingState']))
      ? []
      : ['MediaStreamingState must be Enabled or Disabled.']),
    ...(parameters['MediaStreamType'] === 'Audio' ? [] : ['MediaStreamType must be Audio.']),
    ...(valueAt(customer, 'ParticipantType') === 'Customer' && isBoth
      ? []
      : [
          'Participants must be the Customer, From and To: otherwise one side of the call is missing from the transcript.',
        ]),
  ];
}

function invokeFaults(action: Action): string[] {
  const { parameters } = action;
  return [
    ...(typeof parameters['LambdaFunctionARN'] === 'string' ? [] : ['LambdaFunctionARN must be text.']),
    ...(waitsLongEnough(action)
      ? []
      : [
          `InvocationTimeLimitSeconds must be "${LAMBDA_TIME_LIMIT_S}", or up to "${ASYNCHRONOUS_TIME_LIMIT_S}" in \
asynchronous mode: the trigger takes up to 7 s, and a flow that gives up earlier does not learn that a session was started.`,
        ]),
    ...(['SYNCHRONOUS', 'ASYNCHRONOUS', undefined].includes(parameters['InvocationType'] as string | undefined)
      ? []
      : ['InvocationType must be SYNCHRONOUS or ASYNCHRONOUS.']),
    ...(valueAt(parameters, 'ResponseValidation', 'ResponseType') === 'STRING_MAP'
      ? []
      : ['ResponseValidation.ResponseType must be STRING_MAP, the type of the result.']),
  ];
}

function waitsLongEnough(action: Action): boolean {
  const limit = action.parameters['InvocationTimeLimitSeconds'];
  const longestS = isAsynchronous(action) ? ASYNCHRONOUS_TIME_LIMIT_S : LAMBDA_TIME_LIMIT_S;
  const seconds = typeof limit === 'string' && /^\d+$/.test(limit) ? Number(limit) : 0;
  return seconds >= LAMBDA_TIME_LIMIT_S && seconds <= longestS;
}

function loadFaults({ parameters: { LambdaInvocationId: id } }: Action): string[] {
  return id === INVOCATION_ID ? [] : [`LambdaInvocationId must be ${INVOCATION_ID}: the trigger's invocation.`];
}

function waitFaults({ parameters: { TimeLimitSeconds: limit } }: Action): string[] {
  const isCount = typeof limit === 'string' && /^[1-9]\d*$/.test(limit);
  return isCount ? [] : ['TimeLimitSeconds must be text: a number of seconds.'];
}

function messageFaults({ parameters }: Action): string[] {
  const given = ['Text', 'SSML', 'PromptId', 'Media'].filter((name) => Object.hasOwn(parameters, name));
  const breaksMs = breaksIn(parameters['SSML']);
  return [
    ...(given.length === 1 ? [] : ['It needs exactly one of Text, SSML, PromptId and Media.']),
    ...(breaksMs.every((ms) => ms <= MAX_BREAK_MS)
      ? []
      : [`A break may last at most ${MAX_BREAK_MS} ms: use several.`]),
  ];
}

function loopFaults({ parameters: { LoopCount: count } }: Action): string[] {
  const isCount = typeof count === 'string' && /^\d+$/.test(count) && Number(count) <= MAX_LOOP_COUNT;
  return isCount ? [] : [`LoopCount must be text: a number from 0 to ${MAX_LOOP_COUNT}.`];
}

/** Reads the attributes with the trigger's own code. */
function checkAttributes({ identifier, parameters }: Action): Finding[] {
  const fault = (why: string): Finding => ({ action: identifier, what: 'bad-attribute', why });
  const { Attributes: attributes, TargetContact: target } = parameters;
  if (!isJsonObject(attributes)) return [fault('It has no Attributes.')];
  const findings =
    target === 'Current' ? [] : [fault('TargetContact must be Current: the trigger reads only that contact.')];
  try {
    const { withEmptyValue } = readAttributes(attributes, SOME_CONTACT_ID);
    const empty = withEmptyValue.map((name) => fault(`${name} has an empty value: spaces separate values.`));
    return [...findings, ...empty];
  } catch (error) {
    if (!(error instanceof TriggerFailure)) throw error;
    return [...findings, fault(`The trigger would return fail: ${error.message}`)];
  }
}
