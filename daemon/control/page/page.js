/** integratord's status page: one request every two seconds, however many sessions there are. */

import { byId, setText } from './dom.js';
import { FailedCalls } from './failed-calls.js';
import { Feed } from './feed.js';
import { Instance } from './instance.js';
import { LagHistory } from './lag-history.js';
import { News } from './news.js';
import { SessionList } from './session-list.js';
import { countText, timeText } from './words.js';

/** Fills a large screen. */
const LIMIT = 24;
/** Waits for a pause in typing. */
const TYPING_MS = 250;
/** The series of the worst lag; no session has this id. */
const ALL = 'all';

const history = new LagHistory();
const failedCalls = new FailedCalls();
const instance = new Instance();
const list = new SessionList();
const news = new News();
const choice = { sort: 'age', find: '', offset: 0, limit: LIMIT };
let updatedAtEpochMs;
/** True when the next overview answers a choice, whose result is announced. */
let hasChosen = false;

const feed = new Feed(choice, show, showFailure);
let typing;

byId('choice').addEventListener('submit', (event) => event.preventDefault());
byId('find').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => choose({ find: byId('find').value, offset: 0 }), TYPING_MS);
});
byId('sort').addEventListener('change', () => choose({ sort: byId('sort').value, offset: 0 }));
byId('previous').addEventListener('click', () => turnPage(byId('previous'), -LIMIT));
byId('next').addEventListener('click', () => turnPage(byId('next'), LIMIT));
byId('pause').addEventListener('click', () => {
  const isPaused = byId('pause').getAttribute('aria-pressed') !== 'true';
  byId('pause').setAttribute('aria-pressed', String(isPaused));
  if (isPaused) showConnection('paused', 'Paused');
  feed.pause(isPaused);
});

function choose(change) {
  Object.assign(choice, change);
  hasChosen = true;
  feed.choose(choice);
}

function turnPage(button, by) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  choose({ offset: choice.offset + by });
  byId('sessions').scrollIntoView({ block: 'start' });
}

function show(overview) {
  const { atEpochMs, offset, sessions, totals, found } = overview;
  updatedAtEpochMs = Date.now();
  // The list may have become shorter than the requested offset.
  choice.offset = offset;
  if (totals.sessions > 0) history.note(ALL, atEpochMs, totals.lagMs);
  for (const { sessionId, lagMs } of sessions) history.note(sessionId, atEpochMs, lagMs);
  history.forget(atEpochMs);
  instance.show(overview, history.of(ALL));
  failedCalls.show(overview);
  list.show(overview, LIMIT, history);
  byId('trouble').hidden = true;
  const isPaused = byId('pause').getAttribute('aria-pressed') === 'true';
  if (isPaused) showConnection('paused', `Paused at ${timeText(updatedAtEpochMs)}`);
  else showConnection('connected', 'Live');
  news.show(overview);
  if (hasChosen) {
    const shown = found === 0 ? '' : `, ${offset + 1} to ${offset + sessions.length} shown`;
    news.announce(`${countText(found, 'session')} found${shown}.`);
  }
  hasChosen = false;
}

function showFailure(message) {
  const since = updatedAtEpochMs === undefined ? '' : ` The data below is from ${timeText(updatedAtEpochMs)}.`;
  byId('trouble').hidden = false;
  setText(byId('trouble'), `${message}${since}`);
  showConnection('lost', 'No response, retrying');
  news.lost(message);
}

function showConnection(state, text) {
  byId('connection').dataset.state = state;
  setText(byId('connection'), text);
}
