import { readAttributes } from '../../attributes.ts';
import { TriggerFailure } from '../../failure.ts';
import { isJsonObject, valueAt } from '../../json.ts';
import type { Finding } from './finding.ts';
import type { Action, Flow } from './flow.ts';
import { ATTRIBUTES, INVOKE, LOOP, MESSAGE, STREAMING } from './language.ts';

/** The trigger answers within 7 s (README): only the longest time that Connect grants leaves it its own. */
const LAMBDA_TIME_LIMIT_S = 8;
/** Of the Loop block. */
const MAX_LOOP_COUNT = 100;
/** Longer breaks are cut by Amazon Polly, which speaks the prompts. */
const MAX_BREAK_MS = 10_000;
/** Stands in for a contact's id, for which attributes have a place. */
const SOME_CONTACT_ID = '00000000-0000-0000-0000-000000000000';

/** What is said of an action, each with what to do. */
type Faults = (action: Action) => string[];

const FAULTS: Readonly<Record<string, Faults>> = {
  [STREAMING]: streamingFaults,
  [INVOKE]: invokeFaults,
  [MESSAGE]: messageFaults,
  [LOOP]: loopFaults,
};

/** What is wrong with the actions' own settings. */
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
      : ['MediaStreamingState has to be Enabled or Disabled.']),
    ...(parameters['MediaStreamType'] === 'Audio' ? [] : ['MediaStreamType has to be Audio.']),
    ...(valueAt(customer, 'ParticipantType') === 'Customer' && isBoth
      ? []
      : ['Participants has to be the Customer, From and To: else one side of the call is silence in the transcript.']),
  ];
}

function invokeFaults({ parameters }: Action): string[] {
  return [
    ...(typeof parameters['LambdaFunctionARN'] === 'string' ? [] : ['LambdaFunctionARN has to be a text.']),
    ...(parameters['InvocationTimeLimitSeconds'] === String(LAMBDA_TIME_LIMIT_S)
      ? []
      : [
          `InvocationTimeLimitSeconds has to be "${LAMBDA_TIME_LIMIT_S}": the trigger takes up to 7 s, and a flow that \
gives up before it has answered does not learn that a session was started.`,
        ]),
    ...((parameters['InvocationType'] ?? 'SYNCHRONOUS') === 'SYNCHRONOUS'
      ? []
      : ['InvocationType has to be SYNCHRONOUS: otherwise there is no answer to branch on.']),
    ...(valueAt(parameters, 'ResponseValidation', 'ResponseType') === 'STRING_MAP'
      ? []
      : ['ResponseValidation.ResponseType has to be STRING_MAP, which is what the trigger answers.']),
  ];
}

function messageFaults({ parameters }: Action): string[] {
  const given = ['Text', 'SSML', 'PromptId', 'Media'].filter((name) => Object.hasOwn(parameters, name));
  const breaksMs = [...String(parameters['SSML'] ?? '').matchAll(/<break time="(\d+)ms"\/>/g)].map(([, ms]) =>
    Number(ms),
  );
  return [
    ...(given.length === 1 ? [] : ['It needs one of Text, SSML, PromptId and Media.']),
    ...(breaksMs.every((ms) => ms <= MAX_BREAK_MS) ? [] : [`A break may last ${MAX_BREAK_MS} ms: use several.`]),
  ];
}

function loopFaults({ parameters: { LoopCount: count } }: Action): string[] {
  const isCount = typeof count === 'string' && /^\d+$/.test(count) && Number(count) <= MAX_LOOP_COUNT;
  return isCount ? [] : [`LoopCount has to be a text of a number from 0 to ${MAX_LOOP_COUNT}.`];
}

/** Reads the attributes as the trigger will. */
function checkAttributes({ identifier, parameters }: Action): Finding[] {
  const fault = (why: string): Finding => ({ action: identifier, what: 'bad-attribute', why });
  const { Attributes: attributes, TargetContact: target } = parameters;
  if (!isJsonObject(attributes)) return [fault('It has no Attributes to set.')];
  const findings = target === 'Current' ? [] : [fault('TargetContact has to be Current: the trigger reads no other.')];
  try {
    const { withEmptyValue } = readAttributes(attributes, SOME_CONTACT_ID);
    const empty = withEmptyValue.map((name) => fault(`${name} has an empty value: spaces separate values.`));
    return [...findings, ...empty];
  } catch (error) {
    if (!(error instanceof TriggerFailure)) throw error;
    return [...findings, fault(`The trigger would answer fail: ${error.message}`)];
  }
}
