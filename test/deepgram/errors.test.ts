import test from 'ava';
import { DeepgramRefused, DeepgramUnreachable, refusalOf } from '../../daemon/deepgram/errors.ts';

test('a failed handshake is counted by its status, or as unreachable; one that the daemon aborted is not counted', (t) => {
  t.is(refusalOf(new DeepgramRefused(402, undefined, undefined)), '402');
  t.is(refusalOf(new DeepgramRefused(502, undefined, undefined)), '5xx');
  t.is(refusalOf(new DeepgramRefused(418, undefined, undefined)), 'other');
  t.is(refusalOf(new DeepgramUnreachable('example.org', new Error('ECONNREFUSED'))), 'unreachable');
  t.is(refusalOf(new Error('aborted')), undefined);
});
