import { textAt, valueAt } from '../../json.ts';
import type { Finding } from './finding.ts';
import type { Action } from './flow.ts';
import { breaksIn, isAsynchronous, LOAD, LOOP, MESSAGE, STREAMING, WAIT } from './language.ts';
import type { FlowWithTriggers } from './triggers.ts';

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

/** The faults of an action, each with its remedy. */
type Faults = (action: Action) => string[];

const FAULTS: Readonly<Record<string, Faults>> = {
  [STREAMING]: streamingFaults,
  [LOAD]: loadFaults,
  [WAIT]: waitFaults,
  [MESSAGE]: messageFaults,
  [LOOP]: loopFaults,
};

/** Checks the actions' own parameters. */
export function checkParameters({ actions, triggers }: FlowWithTriggers): Finding[] {
  return actions.flatMap((action) => {
    const faults = triggers.has(action)
      ? invokeFaults
      : Object.hasOwn(FAULTS, action.type)
        ? FAULTS[action.type]
        : undefined;
    return (faults?.(action) ?? []).map((why) => ({ action: action.identifier, what: 'bad-parameter', why }));
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
    ...([undefined, 'STRING_MAP'].includes(textAt(parameters, 'ResponseValidation', 'ResponseType'))
      ? []
      : ['ResponseValidation.ResponseType must be STRING_MAP, the type of the result.']),
  ];
}

function waitsLongEnough(action: Action): boolean {
  const limit = action.parameters['InvocationTimeLimitSeconds'];
  const longestS = isAsynchronous(action) ? ASYNCHRONOUS_TIME_LIMIT_S : LAMBDA_TIME_LIMIT_S;
  const seconds = Number(limit);
  return seconds >= LAMBDA_TIME_LIMIT_S && seconds <= longestS;
}

function loadFaults({ parameters: { LambdaInvocationId: id } }: Action): string[] {
  return id === INVOCATION_ID ? [] : [`LambdaInvocationId must be ${INVOCATION_ID}: the trigger's invocation.`];
}

function waitFaults({ parameters: { TimeLimitSeconds: limit } }: Action): string[] {
  return isDynamic(limit) || Number(limit) > 0 ? [] : ['TimeLimitSeconds must be a number of seconds.'];
}

function messageFaults({ parameters }: Action): string[] {
  const isTooLong = breaksIn(parameters['SSML']).some((ms) => ms > MAX_BREAK_MS);
  return isTooLong ? [`A break may last at most ${MAX_BREAK_MS} ms: use several.`] : [];
}

function loopFaults({ parameters: { LoopCount: count } }: Action): string[] {
  const isCount = /^\d+$/.test(String(count)) && Number(count) <= MAX_LOOP_COUNT;
  return isDynamic(count) || isCount ? [] : [`LoopCount must be a number from 0 to ${MAX_LOOP_COUNT}.`];
}

/** True for a value that the flow sets at run time: `$.Attributes.name`. */
function isDynamic(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('$');
}
