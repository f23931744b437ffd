/** A process that logs 3,000 lines of a kilobyte, says so on standard error, and ends. */
import { createLog } from '../../daemon/log/log.ts';

const LINES = 3000;
const log = createLog('info');
for (let line = 0; line < LINES; line++) log.info({ event: 'test.line', text: 'x'.repeat(1000) }, 'a line');
process.stderr.write(`logged ${LINES} lines\n`);
