/** Formats figures for people. */

const SECOND_MS = 1000;
const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;
/** A lag below this is as good as 0. */
const LEAST_MS = 1;

/** A duration as a clock shows it: 0:42, 12:04, 1:02:03, 2 d 3:04:05. */
export function clockText(ms) {
  const seconds = Math.floor(ms / SECOND_MS);
  const days = Math.floor(seconds / DAY_S);
  const hours = Math.floor((seconds % DAY_S) / HOUR_S);
  const minutes = Math.floor((seconds % HOUR_S) / MINUTE_S);
  const parts = days + hours > 0 ? [hours, twoDigits(minutes)] : [minutes];
  const clock = [...parts, twoDigits(seconds % MINUTE_S)].join(':');
  return days > 0 ? `${days} d ${clock}` : clock;
}

/** A lag or a gap: < 1 ms, 345 ms, 4.5 s, 2:05 min. */
export function shortText(ms) {
  if (ms > 0 && ms < LEAST_MS) return '< 1 ms';
  const wholeMs = Math.round(ms);
  if (wholeMs < SECOND_MS) return `${wholeMs} ms`;
  // Rounded down: 59.96 s is not a minute yet.
  if (wholeMs < MINUTE_S * SECOND_MS) return `${(Math.floor(wholeMs / 100) / 10).toFixed(1)} s`;
  return `${clockText(ms)} ${ms < HOUR_S * SECOND_MS ? 'min' : 'h'}`;
}

export function gapsText(ms) {
  return ms === 0 ? 'None' : shortText(ms);
}

/** 1 session, 2 sessions, 1,234 sessions. */
export function countText(count, noun) {
  return `${numberText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export function numberText(number) {
  return number.toLocaleString('en');
}

/** The local time of day. */
export function timeText(epochMs) {
  return new Date(epochMs).toLocaleTimeString('en-GB');
}

function twoDigits(number) {
  return String(number).padStart(2, '0');
}
