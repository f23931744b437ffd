import { byId, setText } from './dom.js';
import { Sparkline } from './lag-history.js';
import { LATE_MS } from './session-card.js';
import { clockText, countText, gapsText, numberText, shortText, timeText } from './words.js';

export const STATE_WORDS = {
  serving: 'Serving',
  full: 'Full',
  cordoned: 'Cordoned',
  'not-ready': 'Not ready',
  'cut-off': 'Cut off',
  draining: 'Draining',
};

const SOURCES = {
  operator: 'Ordered by an operator',
  signal: 'Ordered by a signal',
  lifecycle: 'Auto Scaling is terminating the instance',
  spot: 'EC2 is reclaiming the Spot instance',
  maintenance: 'EC2 has scheduled maintenance',
};

/** The whole instance: tiles, and what an operator must know about a drain or a cordon. */
export class Instance {
  #lagLine = new Sparkline();

  constructor() {
    byId('lag-line').append(this.#lagLine.element);
  }

  /** @param samples of the worst lag, from a LagHistory */
  show({ status, totals, atEpochMs }, samples) {
    const { lifecycle, maxSessions, region, state } = status;
    setText(byId('where'), [lifecycle.instanceId, lifecycle.groupName, region].filter(Boolean).join(' · '));
    setText(byId('state'), STATE_WORDS[state]);
    byId('state').dataset.state = state;
    setText(
      byId('lifecycle'),
      lifecycle.state ? `Auto Scaling: ${lifecycle.state}` : `up ${clockText(status.uptimeMs)}`,
    );
    // Starting sessions count, but are not listed yet.
    setText(byId('count'), numberText(status.sessions));
    setText(byId('capacity'), `of ${numberText(maxSessions)}`);
    byId('room').max = maxSessions;
    byId('room').value = status.sessions;
    setText(byId('lag'), totals.sessions === 0 ? '–' : shortText(totals.lagMs));
    byId('lag').dataset.bad = String(totals.lagMs >= LATE_MS);
    this.#lagLine.show(samples, atEpochMs);
    setText(byId('gaps'), gapsText(totals.gapMs));
    byId('gaps').dataset.bad = String(totals.gapMs > 0);
    const where = `in ${numberText(totals.sessionsWithGaps)} of ${countText(totals.sessions, 'session')}`;
    setText(byId('gaps-where'), totals.gapMs > 0 ? where : 'no audio is missing');
    setText(byId('reconnects'), numberText(totals.reconnects));
    showCordon(status.cordon, status.drain);
    showDrain(status.drain, atEpochMs);
    const unsigned = status.unsignedStarts ? ' · accepts unsigned starts' : '';
    const checkpoints = status.checkpoints ? '' : ' · no checkpoints';
    const daemon = `integratord ${status.version}, pid ${status.pid}, Node ${status.node}`;
    setText(
      byId('about'),
      `${daemon}, since ${new Date(status.startedAtEpochMs).toISOString()}${checkpoints}${unsigned}`,
    );
  }
}

function showCordon(cordon, drain) {
  byId('cordon').hidden = !cordon || Boolean(drain);
  if (!cordon) return;
  setText(byId('cordon-why'), `Since ${timeText(cordon.sinceEpochMs)}${cordon.reason ? `: ${cordon.reason}` : ''}.`);
}

function showDrain(drain, nowEpochMs) {
  byId('drain').hidden = !drain;
  if (!drain) return;
  const { source, reason, sinceEpochMs, deadlineAtEpochMs, takesStartsUntilEpochMs, longestCallMs } = drain;
  setText(byId('drain-title'), drainTitle(drain));
  setText(byId('drain-why'), `${SOURCES[source]}: ${reason}. Since ${timeText(sinceEpochMs)}.`);
  setText(byId('drain-longest'), drain.sessionsLeft > 0 ? clockText(longestCallMs) : '–');
  const leftMs = deadlineAtEpochMs - nowEpochMs;
  const deadline = leftMs > 0 ? `${timeText(deadlineAtEpochMs)}, in ${clockText(leftMs)}` : 'Passed';
  setText(byId('drain-deadline'), deadlineAtEpochMs === null ? 'None' : deadline);
  const acceptsStarts = drain.state === 'draining' && takesStartsUntilEpochMs > nowEpochMs;
  setText(byId('drain-starts'), acceptsStarts ? `accepted until ${timeText(takesStartsUntilEpochMs)}` : 'refused');
  const time = byId('drain-time');
  time.hidden = deadlineAtEpochMs === null;
  if (deadlineAtEpochMs === null) return;
  time.max = Math.max(1, deadlineAtEpochMs - sinceEpochMs);
  time.value = Math.min(time.max, nowEpochMs - sinceEpochMs);
}

export function drainTitle({ state, sessionsLeft }) {
  if (state === 'drained') return 'Drained: no sessions left';
  const left = `${countText(sessionsLeft, 'session')} left`;
  return state === 'ending-rest' ? `Deadline reached, ending sessions: ${left}` : `Draining: ${left}`;
}
