import { element, labeled, setText } from './dom.js';
import { Sparkline } from './lag-history.js';
import { clockText, gapsText, numberText, shortText } from './words.js';

const STATES = { running: 'Running', ending: 'Ending', ended: 'Ended', failed: 'Failed' };
/** In a conversation, people notice a delay of a second. */
export const LATE_MS = 1000;

/** Name, class, value and whether the value is bad. A figure without a value is hidden. */
const FIGURES = [
  ['Age', 'age', ({ ageMs }) => clockText(ageMs)],
  ['Transcribed', 'audio', ({ audioMs }) => clockText(audioMs)],
  ['Lag', 'lag', ({ lagMs }) => shortText(lagMs), ({ lagMs }) => lagMs >= LATE_MS],
  ['Worst lag', 'worst', ({ worstLagMs }) => shortText(worstLagMs), ({ worstLagMs }) => worstLagMs >= LATE_MS],
  ['Gaps', 'gaps', ({ gapMs }) => gapsText(gapMs), ({ gapMs }) => gapMs > 0],
  ['Reconnects', 'reconnects', ({ reconnects }) => reconnects !== undefined && numberText(reconnects)],
];

/** For looking the session up in logs and at Deepgram. */
const FACTS = [
  ['Session', ({ sessionId }) => sessionId],
  ['Trace', ({ traceId }) => traceId],
  ['Model', ({ model }) => model],
  ['Callback to', ({ callbackHost }) => callbackHost],
  ['Sent again, left out', ({ repeatedMs }) => repeatedMs > 0 && shortText(repeatedMs)],
  ['Replayed', ({ replayedMs }) => replayedMs > 0 && shortText(replayedMs)],
  ['Deepgram requests', ({ deepgramRequestIds }) => deepgramRequestIds?.join(' ')],
];

let cards = 0;

/** One session: its state, its lag over time, its figures. The heading is the contact id, or `title`. */
export class SessionCard {
  element = element('article', 'card');
  #state = element('p', 'state');
  #sparkline = new Sparkline();
  #figures = FIGURES.map(([name, className, text, isBad]) => ({ ...labeled(name, className), text, isBad }));
  #facts = FACTS.map(([name, text]) => ({ ...labeled(name), text }));
  #more;

  constructor(contactId, title) {
    const heading = element('h3', title ? 'title' : 'title contact', title ?? contactId);
    cards += 1;
    heading.id = `card-${cards}`;
    this.element.setAttribute('aria-labelledby', heading.id);
    const header = element('header', '', heading, this.#state);
    if (title) header.append(element('p', 'contact', 'Contact ', element('code', '', contactId)));
    const figures = element('dl', 'figures', ...this.#figures.map(({ row }) => row));
    const facts = element('dl', 'more-facts', ...this.#facts.map(({ row }) => row));
    this.#more = element('details', '', element('summary', '', 'Ids and settings'), facts);
    this.element.append(header, this.#sparkline.element, figures, this.#more);
  }

  /** @param samples of a LagHistory */
  show(session, samples, nowMs) {
    this.element.dataset.state = session.state;
    setText(this.#state, STATES[session.state]);
    this.#sparkline.show(samples, nowMs);
    for (const { row, value, text, isBad } of this.#figures) {
      fill(row, value, text(session));
      if (isBad) value.dataset.bad = String(isBad(session));
    }
    for (const { row, value, text } of this.#facts) fill(row, value, text(session));
    this.#more.hidden = this.#facts.every(({ row }) => row.hidden);
  }
}

function fill(row, value, text) {
  row.hidden = !text;
  setText(value, text || '');
}
