import { byId, element, setText } from './dom.js';
import { SessionCard } from './session-card.js';
import { countText, numberText } from './words.js';

/** The cards of the sessions that are shown now, and where among all of them that is. */
export class SessionList {
  #list = byId('cards');
  #cards = new Map();

  /** Keeps the cards of sessions that stay, so that what is open in them, and the focus, stay too. */
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
      // To move an element takes the focus from it.
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
    const made = { item: element('li', '', card.element), card };
    this.#cards.set(sessionId, made);
    return made;
  }
}

function showEmpty(all, found) {
  byId('empty').hidden = found > 0;
  const none = 'No call is being transcribed now. A session appears here as soon as the trigger has started one.';
  setText(byId('empty'), all === 0 ? none : `None of the ${countText(all, 'session')} has that in its ids.`);
}

function showPlace(offset, count, found, limit, all) {
  setText(byId('shown'), found === all ? numberText(all) : `${numberText(found)} of ${numberText(all)}`);
  byId('pages').hidden = found <= limit;
  setText(byId('page-number'), `${numberText(offset + 1)}–${numberText(offset + count)} of ${numberText(found)}`);
  setDisabled(byId('previous'), offset === 0);
  setDisabled(byId('next'), offset + count >= found);
}

/** Not the attribute `disabled`: a button that is disabled under the hand that pressed it loses the focus. */
function setDisabled(button, isDisabled) {
  button.setAttribute('aria-disabled', String(isDisabled));
}
