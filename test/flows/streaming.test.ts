import { actionIn, type FlowJson } from './our-flows.ts';
import { CALL, findsWhen, HANG_UP, lead, type Mutation, SET, START, STOP, set, TRIGGER } from './spoil.ts';

const setAttributes = (attributes: Record<string, unknown>) => (flow: FlowJson) => {
  Object.assign(actionIn(flow, SET).Parameters['Attributes'] as object, attributes);
};

const STREAMING: Mutation[] = [
  [
    'the trigger comes before streaming',
    lead('Say hello', 'NextAction', SET),
    TRIGGER,
    'not-streaming',
    /Say hello > Set/,
  ],
  ['streaming failed, and the trigger is invoked', lead(START, 'NoMatchingError', SET), TRIGGER, 'may-not-stream', /./],
  [
    'streaming is stopped at the start',
    set(START, { MediaStreamingState: 'Disabled' }),
    TRIGGER,
    'not-streaming',
    /if there was nothing, the trigger returns fail/,
  ],
  [
    'streaming is stopped, starting it again fails, and the trigger is invoked',
    (flow) => {
      const again = { ...structuredClone(actionIn(flow, START)), Identifier: 'Start again' };
      again.Transitions.Errors = [{ NextAction: SET, ErrorType: 'NoMatchingError' }];
      flow.Actions.push(again);
      lead(STOP, 'NextAction', 'Start again')(flow);
    },
    TRIGGER,
    'may-not-stream',
    /once more/,
  ],
  [
    'streaming is not stopped',
    lead(CALL, 'DoneLooping', HANG_UP),
    HANG_UP,
    'streaming-left-on',
    /Stop media streaming/,
  ],
  [
    'streaming is started every minute',
    lead('Play 1 minute of silence', 'NextAction', START),
    START,
    'streaming-twice',
    /./,
  ],
  ['the agent is not streamed', set(START, { Participants: [customer('From')] }), START, 'bad-parameter', /one side/],
  ['no participant is streamed', set(START, { Participants: [] }), START, 'bad-parameter', /Customer/],
  ['video is streamed', set(START, { MediaStreamType: 'Video' }), START, 'bad-parameter', /Audio/],
  ['streaming is set to On', set(START, { MediaStreamingState: 'On' }), START, 'bad-parameter', /Enabled or Disabled/],
];

const ATTRIBUTES: Mutation[] = [
  ...['encoding', 'sample_rate', 'multichannel', 'channels'].map((name): Mutation => {
    const why = new RegExp(`"dg_${name}" cannot be set`);
    return [`the locked ${name} is set`, setAttributes({ [`dg_${name}`]: '2' }), SET, 'refused-attribute', why];
  }),
  [
    'there are two callbacks',
    setAttributes({ dg_callback: 'https://a https://b' }),
    SET,
    'refused-attribute',
    /2 values/,
  ],
  [
    'a parameter has no name',
    setAttributes({ dg_: 'x' }),
    SET,
    'refused-attribute',
    /does not name a Deepgram parameter/,
  ],
  ['an attribute is a number', setAttributes({ dg_endpointing: 300 }), SET, 'refused-attribute', /is not text/],
  ['there are two spaces', setAttributes({ dg_tag: 'a  b' }), SET, 'odd-attribute', /dg_tag has an empty value/],
  ['another contact gets them', set(SET, { TargetContact: 'Related' }), SET, 'odd-attribute', /Current/],
  ['there are none', set(SET, { Attributes: undefined }), TRIGGER, 'no-parameters', /callback/],
  ['none is for Deepgram', set(SET, { Attributes: { color: 'red' } }), TRIGGER, 'no-parameters', /callback/],
  ['they are skipped', lead(START, 'NextAction', TRIGGER), TRIGGER, 'no-parameters', /Start media streaming > Invoke/],
  ['they failed, and the trigger is invoked', lead(SET, 'NoMatchingError', TRIGGER), TRIGGER, 'no-parameters', /./],
  [
    'the callback may stay for all 90 sessions',
    lead('Set further parameters', 'NoMatchingError', 'Start further sessions'),
    'Invoke trigger again',
    'no-parameters',
    /./,
    'load-test',
  ],
];

findsWhen(STREAMING);
findsWhen(ATTRIBUTES);

function customer(...MediaDirections: string[]) {
  return { ParticipantType: 'Customer', MediaDirections };
}
