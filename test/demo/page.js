/** Shows the calls that /events tells of. Everything that comes from outside becomes text, never markup. */

const NAMES = { customer: 'Customer', agent: 'Agent' };
const STATES = { running: 'Running', ending: 'Ending', ended: 'Ended', failed: 'Failed' };
const MS_PER_S = 1000;
/** A figure below is not told from 0 by anybody. */
const LEAST_LAG_MS = 1;

const connection = document.getElementById('connection');
const playButton = document.getElementById('play');
const notice = document.getElementById('notice');
const calls = document.getElementById('calls');
/** How many phrases a call should have, and whether this page may play one, as the server tells. */
let expected = 0;
let canPlay = false;

const events = new EventSource('/events');
events.addEventListener('open', () => showConnection('connected', 'Connected'));
events.addEventListener('error', () => showConnection('lost', 'Connection lost, trying again'));
events.addEventListener('all', ({ data }) => showAll(JSON.parse(data)));
events.addEventListener('call', ({ data }) => showCall(JSON.parse(data)));
playButton.addEventListener('click', play);

function showConnection(state, text) {
  connection.dataset.state = state;
  setText(connection, text);
}

/** Takes the place of everything that was shown: the server may be another one than before. */
function showAll(all) {
  ({ expected, canPlay } = all);
  const path = `Amazon Connect and Kinesis Video stand-ins › integratord › ${all.transcriber}`;
  setText(document.getElementById('path'), path);
  const known = new Set(all.calls.map(({ contactId }) => contactId));
  for (const card of [...calls.children]) if (!known.has(card.dataset.contact)) card.remove();
  for (const call of all.calls) showCall(call);
  showWhetherEmpty();
}

function showWhetherEmpty() {
  const isEmpty = calls.children.length === 0;
  document.getElementById('empty').hidden = !isEmpty;
  playButton.hidden = isEmpty || !canPlay;
}

function showCall(call) {
  const card = cardOf(call);
  const part = (name) => card.querySelector(`.${name}`);
  card.dataset.state = call.state;
  setText(part('state'), STATES[call.state]);
  setText(part('age'), inCall(call.ageMs));
  setText(part('audio'), inCall(call.audioMs));
  setText(part('lag'), milliseconds(call.lagMs));
  setText(part('worst'), milliseconds(call.worstLagMs));
  setText(part('holes'), call.holeMs === 0 ? 'None' : milliseconds(call.holeMs));
  part('holes').dataset.bad = String(call.holeMs > 0);
  part('problem').hidden = !call.problem;
  setText(part('problem'), call.problem ?? '');
  showPhrases(part('phrases'), call.phrases);
  showPhrases(part('interim'), call.interim);
  showVerdict(part('verdict'), part('missing'), call.missing);
}

/** The card of the call; a new one goes to the top, where it is seen. */
function cardOf({ contactId, number }) {
  const known = [...calls.children].find((card) => card.dataset.contact === contactId);
  if (known) return known;
  const card = document.getElementById('call').content.firstElementChild.cloneNode(true);
  card.dataset.contact = contactId;
  const title = card.querySelector('.title');
  title.id = `call-${number}`;
  title.textContent = `Call ${number}`;
  card.setAttribute('aria-labelledby', title.id);
  card.querySelector('.transcript').setAttribute('aria-label', `Transcript of call ${number}`);
  card.querySelector('code').textContent = contactId;
  calls.prepend(card);
  showWhetherEmpty();
  return card;
}

/** Changes only what differs, so that a screen reader hears each phrase once. */
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
  item.querySelector('.time').textContent = inCall(startMs);
  return item;
}

function showVerdict(verdict, list, missing) {
  if (!missing) return;
  const isGood = missing.length === 0;
  verdict.dataset.good = String(isGood);
  setText(
    verdict,
    isGood
      ? `All ${expected} phrases of the call arrived, each at its speaker.`
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
  try {
    const response = await fetch('/calls', { method: 'POST' });
    notice.hidden = response.ok;
    setText(notice, response.ok ? '' : await response.text());
  } catch {
    notice.hidden = false;
    setText(notice, 'The demo does not answer: is it still running in its terminal?');
  } finally {
    playButton.disabled = false;
    // A disabled button has lost the focus.
    playButton.focus();
  }
}

/** Leaves equal text alone, so that nothing is announced that has not changed. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Time in the call, as m:ss. */
function inCall(ms) {
  const seconds = Math.floor(ms / MS_PER_S);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function milliseconds(ms) {
  return ms > 0 && ms < LEAST_LAG_MS ? '< 1 ms' : `${Math.round(ms)} ms`;
}
