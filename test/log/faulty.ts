/** A process with the daemon's log that ends with an uncaught error: thrown, or a rejected promise. */
import { logFaults } from '../../daemon/log/faults.ts';
import { createLog } from '../../daemon/log/log.ts';

const log = createLog('info');
log.redactor.learn(['planted-key-of-deepgram']);
logFaults(log);

const cause = Object.assign(new Error('no answer from https://user:planted-word@h.example/planted'), {
  request: { headers: { authorization: 'planted-header' } },
});
const error = new Error('the key planted-key-of-deepgram is wrong', { cause });
if (process.argv[2] === 'rejected') void Promise.reject(error);
else setImmediate(() => throwIt());
// Keeps the process alive until the error ends it.
setInterval(() => {}, 60_000);

function throwIt(): never {
  throw error;
}
