import { byId, setText } from './dom.js';
import { drainTitle, STATE_WORDS } from './instance.js';
import { countText } from './words.js';

/** What somebody who does not see the page is told, politely, and when: what changes an operator's mind, not figures. */
export class News {
  #last;
  #isLost = false;

  tell(text) {
    setText(byId('news'), text);
  }

  lost(message) {
    if (!this.#isLost) this.tell(message);
    this.#isLost = true;
  }

  show(overview) {
    const last = this.#last;
    this.#last = overview;
    const news = last ? changesBetween(last, overview) : [];
    if (this.#isLost) news.unshift('integratord answers again.');
    this.#isLost = false;
    if (news.length > 0) this.tell(news.join(' '));
  }
}

function changesBetween(last, { status, totals }) {
  const news = [];
  const drain = status.drain && `${drainTitle(status.drain)}.`;
  if (status.state !== last.status.state)
    news.push(drain ?? `The instance is ${STATE_WORDS[status.state].toLowerCase()}.`);
  else if (drain && status.drain.state !== last.status.drain?.state) news.push(drain);
  if (totals.sessionsWithHoles > last.totals.sessionsWithHoles) {
    news.push(`Audio is missing in ${countText(totals.sessionsWithHoles, 'session')}.`);
  }
  return news;
}
