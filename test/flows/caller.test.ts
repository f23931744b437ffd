import test from 'ava';
import { exitIn, exitsOf, type FlowJson, ourFlow } from './our-flows.ts';
import {
  CALL,
  COMPARE,
  findings,
  findsWhen,
  HANG_UP,
  lead,
  type Mutation,
  SET,
  START,
  STOP,
  set,
  TRIGGER,
} from './spoil.ts';

const all =
  (...mutations: ((flow: FlowJson) => unknown)[]) =>
  (flow: FlowJson) => {
    for (const mutate of mutations) mutate(flow);
  };

const CALLER: Mutation[] = [
  ['no response hangs up', lead(TRIGGER, 'NoMatchingError', HANG_UP), TRIGGER, 'caller-lost', /NoMatchingError/],
  ['fail hangs up', lead(COMPARE, 'fail', HANG_UP), COMPARE, 'caller-lost', /condition fail/],
  [
    'fail says so, then hangs up',
    all(
      lead('Say transcription failed', 'NextAction', HANG_UP),
      lead('Say transcription failed', 'NoMatchingError', HANG_UP),
    ),
    COMPARE,
    'caller-lost',
    /condition fail/,
  ],
  [
    'fail cleans up, then hangs up',
    lead('Say transcription failed', 'NextAction', STOP),
    COMPARE,
    'caller-lost',
    /fail/,
  ],
  ['a failure to stream hangs up', lead(START, 'NoMatchingError', HANG_UP), START, 'caller-lost', /NoMatchingError/],
  ['a failure to set attributes hangs up', lead(SET, 'NoMatchingError', STOP), SET, 'caller-lost', /NoMatchingError/],
  [
    'a failed prompt hangs up',
    lead('Say hello', 'NoMatchingError', HANG_UP),
    'Say hello',
    'caller-lost',
    /NoMatchingError/,
  ],
  [
    'a failed prompt during the call hangs up',
    lead('Play 1 minute of silence', 'NoMatchingError', STOP),
    'Play 1 minute of silence',
    'caller-lost',
    /NoMatchingError/,
  ],
  [
    'a failed start is retried forever',
    lead('Say transcription failed', 'NextAction', TRIGGER),
    TRIGGER,
    'endless',
    /Loop/,
  ],
  ['a loop starts over when it is done', lead(CALL, 'DoneLooping', 'Say hello'), CALL, 'endless', /Loop/],
  ['silence never ends', (flow) => exitIn(flow, CALL, 'DoneLooping').lead(CALL), CALL, 'endless', /Loop/],
  ['a loop has no count', set(CALL, { LoopCount: undefined }), CALL, 'bad-parameter', /0 to 100/],
  ['a loop counts too far', set(CALL, { LoopCount: '101' }), CALL, 'bad-parameter', /0 to 100/],
  [
    'a break is too long',
    set('Play 1 minute of silence', { SSML: '<speak><break time="60000ms"/></speak>' }),
    'Play 1 minute of silence',
    'bad-parameter',
    /10000 ms/,
  ],
];

findsWhen(CALLER);

test('a transfer to a queue is allowed: streaming continues, and a full queue falls back to the sample', (t) => {
  const flow = ourFlow('sample-inbound');
  const position = { x: 360, y: 540 };
  for (const exit of exitsOf(flow).filter(({ to, from }) => to === CALL && from !== 'Play 1 minute of silence')) {
    exit.lead('Transfer to queue');
  }
  flow.Metadata.ActionMetadata['Transfer to queue'] = { position };
  flow.Actions.push({
    Identifier: 'Transfer to queue',
    Type: 'TransferContactToQueue',
    Parameters: {},
    Transitions: {
      NextAction: CALL,
      Errors: [
        { NextAction: CALL, ErrorType: 'QueueAtCapacity' },
        { NextAction: CALL, ErrorType: 'NoMatchingError' },
      ],
    },
  });
  t.deepEqual(findings(flow), []);
});
