import { byId, element, setText } from './dom.js';
import { countText, timeText } from './words.js';

/** The calls that failed within a day: why a call has no transcript. */
export class FailedCalls {
  #shown = '';

  show({ failed: { count, latest } }) {
    byId('failed').hidden = count === 0;
    const more = count > latest.length ? `, the last ${latest.length} of ${countText(count, 'call')}` : '';
    setText(byId('failed-count'), `within a day${more}`);
    const shown = JSON.stringify(latest);
    // Unchanged rows stay: a reader may be selecting an id.
    if (shown === this.#shown) return;
    this.#shown = shown;
    byId('failed-list').replaceChildren(...latest.map(row));
  }
}

function row({ contactId, reason, endedAtEpochMs }) {
  const when = element('span', 'small', timeText(endedAtEpochMs));
  return element('li', '', element('p', '', element('code', '', contactId), ' ', when), element('p', '', reason));
}
