/** Shows the calls from /events: integratord's cards, each with the words of customer and agent. */

import { Follower } from './follower.js';
import { element, setText } from './page/dom.js';
import { LagHistory } from './page/lag-history.js';
import { SessionCard } from './page/session-card.js';
import { clockText } from './page/words.js';

const NAMES = { customer: 'Customer', agent: 'Agent' };
const BREAKS = {
  deepgram: "Deepgram's connection is broken in mid-sentence",
  integratord: 'integratord is killed in mid-sentence, and restarts',
};

const connection = document.getElementById('connection');
const playButton = document.getElementById('play');
const breakButton = document.getElementById('break');
const notice = document.getElementById('notice');
const calls = document.getElementById('calls');
const cards = new Map();
const lags = new LagHistory();
const follower = new Follower(document.getElementById('newest'));
/** From the server: phrases per call, and whether this page may play one. */
let expected = 0;
let canPlay = false;

const events = new EventSource('/events');
events.addEventListener('open', () => showConnection('connected', 'Connected'));
events.addEventListener('error', () => showConnection('lost', 'Connection lost, trying again'));
events.addEventListener('all', ({ data }) => showAll(JSON.parse(data)));
events.addEventListener('call', ({ data }) => {
  const call = JSON.parse(data);
  showCall(call);
  follow(call);
});
playButton.addEventListener('click', () => {
  follower.resume();
  void ask(playButton, '/calls');
});
breakButton.addEventListener('click', () => void ask(breakButton, '/breaks'));

function showConnection(state, text) {
  connection.dataset.state = state;
  setText(connection, text);
}

/** Replaces everything: the server may have been restarted. */
function showAll(all) {
  ({ expected, canPlay } = all);
  calls.classList.toggle('fast', !all.isRealTime);
  const path = `Amazon Connect and Kinesis Video simulators › integratord › ${all.transcriber} › integratord › webhook`;
  setText(document.getElementById('path'), path);
  const known = new Set(all.calls.map(({ contactId }) => contactId));
  for (const [contactId, { element }] of cards) {
    if (known.has(contactId)) continue;
    element.remove();
    cards.delete(contactId);
  }
  for (const call of all.calls) showCall(call);
  showWhetherEmpty();
  const newest = all.calls.at(-1);
  if (newest && !newest.faults) follow(newest);
}

/** Of several calls at once, the reader follows the newest, which is at the top. */
function follow({ contactId }) {
  const { element } = cards.get(contactId);
  if (element === calls.firstElementChild) follower.addedTo(element);
}

function showWhetherEmpty() {
  const isEmpty = calls.children.length === 0;
  document.getElementById('empty').hidden = !isEmpty;
  playButton.hidden = isEmpty || !canPlay;
  breakButton.hidden = !canPlay || calls.querySelector('[data-state=running]') === null;
}

function showCall(call) {
  const card = cardOf(call);
  const part = (name) => card.element.querySelector(`.${name}`);
  const nowMs = Date.now();
  if (call.state === 'running') lags.note(call.contactId, nowMs, call.lagMs);
  card.show(call, lags.of(call.contactId), nowMs);
  part('problem').hidden = !call.problem;
  setText(part('problem'), call.problem ?? '');
  showPhrases(part('phrases'), inTimeOrder(call.phrases, call.breaks));
  showPhrases(part('interim'), call.interim);
  if (call.faults && !call.wasRefused) showVerdict(card.element, call);
  showWhetherEmpty();
}

/** Breaks stand between the phrases before and after them. */
function inTimeOrder(phrases, breaks) {
  return [...phrases, ...breaks].sort((one, other) => one.startMs - other.startMs);
}

/** The card of the call; a new one is added at the top. */
function cardOf({ contactId, number }) {
  const known = cards.get(contactId);
  if (known) return known;
  const title = `Call ${number}`;
  const card = new SessionCard(contactId, title);
  cards.set(contactId, card);
  card.element.classList.add('call');
  card.element.append(document.getElementById('conversation').content.firstElementChild.cloneNode(true));
  card.element.querySelector('.transcript').setAttribute('aria-label', `Transcript of call ${number}`);
  calls.prepend(card.element);
  showWhetherEmpty();
  return card;
}

/** Changes only what differs, so that a screen reader reads each phrase once. */
function showPhrases(list, phrases) {
  const items = new Map([...list.children].map((item) => [item.dataset.key, item]));
  phrases.forEach((phrase, index) => {
    const key = `${phrase.speaker ?? phrase.victim} ${phrase.startMs}`;
    const item = items.get(key) ?? (phrase.victim ? newBreak(key, phrase) : newPhrase(key, phrase));
    items.delete(key);
    if (phrase.text) setText(item.querySelector('.text'), phrase.text);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  for (const item of items.values()) item.remove();
}

function newPhrase(key, { speaker, startMs }) {
  const item = document.getElementById('phrase').content.firstElementChild.cloneNode(true);
  item.dataset.key = key;
  item.dataset.speaker = speaker;
  item.querySelector('.speaker').textContent = NAMES[speaker];
  item.querySelector('.time').textContent = clockText(startMs);
  return item;
}

function newBreak(key, { victim, startMs }) {
  const item = element('li', 'break', `${clockText(startMs)}  ${BREAKS[victim]}`);
  item.dataset.key = key;
  return item;
}

function showVerdict(card, { state, faults, breaks }) {
  const { missing, repeated, lostEvents } = faults;
  const part = (name) => card.querySelector(`.${name}`);
  const isGood = state === 'ended' && missing.length === 0 && repeated.length === 0 && lostEvents === 0;
  part('verdict').dataset.good = String(isGood);
  setText(part('verdict'), isGood ? goodVerdict(breaks) : badVerdict(faults));
  part('missing').replaceChildren(...missing.map(wordsItem));
  part('verdict-repeated').hidden = repeated.length === 0;
  part('repeated').replaceChildren(...repeated.map(wordsItem));
}

function goodVerdict(breaks) {
  const although = breaks.length === 0 ? '' : ', although it was broken in mid-sentence';
  return `All ${expected} phrases of the call arrived, each for its speaker${although}: not a word is missing, and none came twice.`;
}

function badVerdict({ missing, lostEvents }) {
  if (missing.length > 0) return `${missing.length} of ${expected} phrases are missing:`;
  return lostEvents > 0 ? `Events of the call that never came: ${lostEvents}.` : 'The transcript is not right.';
}

function wordsItem({ speaker, text }) {
  return element('li', '', `${NAMES[speaker]}: ${text}`);
}

/** Does what a button asks for. */
async function ask(button, path) {
  button.disabled = true;
  try {
    const response = await fetch(path, { method: 'POST' });
    notice.hidden = response.ok;
    setText(notice, response.ok ? '' : await response.text());
  } catch {
    notice.hidden = false;
    setText(notice, 'The demo does not answer: is it still running in its terminal?');
  } finally {
    button.disabled = false;
    // A disabled button loses the focus.
    button.focus({ preventScroll: true });
  }
}
