import { byId, element, setText } from './dom.js';
import { SessionCard } from './session-card.js';
import { countText, numberText } from './words.js';

/** The cards of the current page of sessions, and its place among all sessions. */
export class SessionList {
  #list = byId('cards');
  #cards = new Map();

  /** Reuses the cards of sessions that stay, so that open details and the focus stay too. */
  show({ sessions, found, offset, totals, atEpochMs }, limit, history) {
    const shown = new Set(sessions.map(({ sessionId }) => sessionId));
    for (const [id, { item }] of this.#cards) {
      if (shown.has(id)) continue;
      item.remove();
      this.#cards.delete(id);
    }
    const focused = document.activeElement;
    sessions.forEach((session, index) => {
      const { item, card } = this.#cardOf(session);
      card.show(session, history.of(session.sessionId), atEpochMs);
      // Moving an element takes the focus from it.
      if (this.#list.children[index] !== item) this.#list.insertBefore(item, this.#list.children[index] ?? null);
    });
    if (focused !== document.activeElement && this.#list.contains(focused)) focused.focus({ preventScroll: true });
    showEmpty(totals.sessions, found);
    showPlace(offset, sessions.length, found, limit, totals.sessions);
  }

  #cardOf({ sessionId, contactId }) {
    const known = this.#cards.get(sessionId);
    if (known) return known;
    const card = new SessionCard(contactId);
    const created = { item: element('li', '', card.element), card };
    this.#cards.set(sessionId, created);
    return created;
  }
}

function showEmpty(all, found) {
  byId('empty').hidden = found > 0;
  const none = 'No call is being transcribed. Sessions appear here when the trigger starts them.';
  setText(byId('empty'), all === 0 ? none : `None of the ${countText(all, 'session')} has a matching id.`);
}

function showPlace(offset, count, found, limit, all) {
  setText(byId('shown'), found === all ? numberText(all) : `${numberText(found)} of ${numberText(all)}`);
  byId('pages').hidden = found <= limit;
  setText(byId('page-number'), `${numberText(offset + 1)}–${numberText(offset + count)} of ${numberText(found)}`);
  setDisabled(byId('previous'), offset === 0);
  setDisabled(byId('next'), offset + count >= found);
}

/** Not the attribute `disabled`: a button that becomes disabled loses the focus. */
function setDisabled(button, isDisabled) {
  button.setAttribute('aria-disabled', String(isDisabled));
}
