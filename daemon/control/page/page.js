/** integratord's status page: one question every two seconds, whatever number of sessions there is. */

import { byId, setText } from './dom.js';
import { Feed } from './feed.js';
import { Instance } from './instance.js';
import { LagHistory } from './lag-history.js';
import { News } from './news.js';
import { SessionList } from './session-list.js';
import { countText, timeText } from './words.js';

/** As many as fill a large screen. */
const LIMIT = 24;
/** Somebody who types is not done after each letter. */
const TYPING_MS = 250;
/** The name of the worst lag of all in the history; no session's id. */
const ALL = 'all';

const history = new LagHistory();
const instance = new Instance();
const list = new SessionList();
const news = new News();
const choice = { sort: 'age', find: '', offset: 0, limit: LIMIT };
let heardAtEpochMs;
/** Whether the next overview is the answer to a choice, whose outcome is to be told. */
let hasChosen = false;

const feed = new Feed(choice, show, lose);
let typing;

byId('choice').addEventListener('submit', (event) => event.preventDefault());
byId('find').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => choose({ find: byId('find').value, offset: 0 }), TYPING_MS);
});
byId('sort').addEventListener('change', () => choose({ sort: byId('sort').value, offset: 0 }));
byId('previous').addEventListener('click', () => leaf(byId('previous'), -LIMIT));
byId('next').addEventListener('click', () => leaf(byId('next'), LIMIT));
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

function leaf(button, by) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  choose({ offset: choice.offset + by });
  byId('sessions').scrollIntoView({ block: 'start' });
}

function show(overview) {
  const { atEpochMs, offset, sessions, totals, found } = overview;
  heardAtEpochMs = Date.now();
  // The list may have grown shorter than the place in it that was asked for.
  choice.offset = offset;
  if (totals.sessions > 0) history.note(ALL, atEpochMs, totals.lagMs);
  for (const { sessionId, lagMs } of sessions) history.note(sessionId, atEpochMs, lagMs);
  history.forget(atEpochMs);
  instance.show(overview, history.of(ALL));
  list.show(overview, LIMIT, history);
  byId('trouble').hidden = true;
  const isPaused = byId('pause').getAttribute('aria-pressed') === 'true';
  if (isPaused) showConnection('paused', `Paused at ${timeText(heardAtEpochMs)}`);
  else showConnection('connected', 'Live');
  news.show(overview);
  if (hasChosen) {
    const shown = found === 0 ? '' : `, ${offset + 1} to ${offset + sessions.length} shown`;
    news.tell(`${countText(found, 'session')} found${shown}.`);
  }
  hasChosen = false;
}

function lose(message) {
  const since = heardAtEpochMs === undefined ? '' : ` What is below is from ${timeText(heardAtEpochMs)}.`;
  byId('trouble').hidden = false;
  setText(byId('trouble'), `${message}${since}`);
  showConnection('lost', 'No answer, trying again');
  news.lost(message);
}

function showConnection(state, text) {
  byId('connection').dataset.state = state;
  setText(byId('connection'), text);
}
