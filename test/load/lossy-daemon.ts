/** A daemon that loses audio, to see that a load run notices: the real one, of whose messages some never leave. */
import WebSocket from 'ws';

const EVERY = 10;
const { send } = WebSocket.prototype;
let messages = 0;

WebSocket.prototype.send = function (this: WebSocket, data: unknown, ...rest: unknown[]) {
  const isAudio = typeof data !== 'string';
  if (!isAudio || ++messages % EVERY !== 0) {
    Reflect.apply(send, this, [data, ...rest]);
    return;
  }
  const onTaken = rest.at(-1);
  if (typeof onTaken === 'function') process.nextTick(onTaken);
};

await import('../../daemon/main.ts');
