/** `npm run prove:long-call`: a call of three and a half hours at 300 times real time, across 45-minute walls; once
 *  with rotation before each, once without. Prints a line for each and exits with 1 if anything was lost. */
import { LAST_REQUESTS, playLongCall } from './long-call.ts';

const SPEED = 300;
const MINUTES = 210;
const WALL_MINUTES = 45;
const WALLS = Math.floor(MINUTES / WALL_MINUTES);

for (const [name, rotateMinutes] of [
  ['rotated before each wall', 40],
  ['running into each wall', 2 * MINUTES],
] as const) {
  const call = { minutes: MINUTES, wallMinutes: WALL_MINUTES, rotateMinutes, speed: SPEED };
  const { outcome, lostMs, repeatedMs, isWhole, resumed, rotated, requests } = await playLongCall(call);
  const crossings = rotateMinutes < WALL_MINUTES ? rotated : resumed;
  const passed =
    outcome === 'completed' &&
    lostMs === 0 &&
    repeatedMs === 0 &&
    isWhole &&
    crossings >= WALLS &&
    requests <= rotated + resumed + 1 + LAST_REQUESTS;
  const audio = isWhole ? 'every sample once' : 'not every sample once';
  process.stdout.write(
    `${passed ? 'passed' : 'FAILED'}: ${MINUTES} minutes, ${name}: ${audio}, ${lostMs} ms lost, ${repeatedMs} ms ` +
      `repeated, ${rotated} rotations, ${resumed} resumptions, ${requests} requests, ${outcome}\n`,
  );
  if (!passed) process.exitCode = 1;
}
