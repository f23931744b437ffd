/** Shows the calls from /events: integratord's cards, each with the words of customer and agent. */

import { Follower } from './follower.js';
import { setText } from './page/dom.js';
import { LagHistory } from './page/lag-history.js';
import { SessionCard } from './page/session-card.js';
import { clockText } from './page/words.js';

const NAMES = { customer: 'Customer', agent: 'Agent' };

const connection = document.getElementById('connection');
const playButton = document.getElementById('play');
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
playButton.addEventListener('click', play);

function showConnection(state, text) {
  connection.dataset.state = state;
  setText(connection, text);
}

/** Replaces everything: the server may have been restarted. */
function showAll(all) {
  ({ expected, canPlay } = all);
  const path = `Amazon Connect and Kinesis Video simulators › integratord › ${all.transcriber}`;
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
  if (newest && newest.missing === undefined) follow(newest);
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
}

function showCall(call) {
  const card = cardOf(call);
  const part = (name) => card.element.querySelector(`.${name}`);
  const nowMs = Date.now();
  if (call.state === 'running') lags.note(call.contactId, nowMs, call.lagMs);
  card.show(call, lags.of(call.contactId), nowMs);
  part('problem').hidden = !call.problem;
  setText(part('problem'), call.problem ?? '');
  showPhrases(part('phrases'), call.phrases);
  showPhrases(part('interim'), call.interim);
  if (!call.wasRefused) showVerdict(part('verdict'), part('missing'), call.missing);
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
    const key = `${phrase.speaker} ${phrase.startMs}`;
    const item = items.get(key) ?? newPhrase(key, phrase);
    items.delete(key);
    setText(item.querySelector('.text'), phrase.text);
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

function showVerdict(verdict, list, missing) {
  if (!missing) return;
  const isGood = missing.length === 0;
  verdict.dataset.good = String(isGood);
  setText(
    verdict,
    isGood
      ? `All ${expected} phrases of the call arrived, each for its speaker.`
      : `${missing.length} of ${expected} phrases are missing:`,
  );
  list.replaceChildren(
    ...missing.map(({ speaker, text }) => {
      const item = document.createElement('li');
      item.textContent = `${NAMES[speaker]}: ${text}`;
      return item;
    }),
  );
}

async function play() {
  playButton.disabled = true;
  follower.resume();
  try {
    const response = await fetch('/calls', { method: 'POST' });
    notice.hidden = response.ok;
    setText(notice, response.ok ? '' : await response.text());
  } catch {
    notice.hidden = false;
    setText(notice, 'The demo does not answer: is it still running in its terminal?');
  } finally {
    playButton.disabled = false;
    // A disabled button loses the focus.
    playButton.focus({ preventScroll: true });
  }
}
