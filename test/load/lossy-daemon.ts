/** A daemon that loses audio, to see that a load run notices: the real one, of whose messages some never leave. */
import { FrameWriter } from '../../daemon/deepgram/frames.ts';

const EVERY = 10;
const { audio } = FrameWriter.prototype;
let messages = 0;

FrameWriter.prototype.audio = function (this: FrameWriter, pcm: Uint8Array) {
  if (++messages % EVERY !== 0) Reflect.apply(audio, this, [pcm]);
};

await import('../../daemon/main.ts');
