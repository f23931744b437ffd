import { byId, setText } from './dom.js';
import { drainTitle, STATE_WORDS } from './instance.js';
import { countText } from './words.js';

/** Announcements for screen readers: events that matter to an operator, not figures. */
export class News {
  #last;
  #isLost = false;

  announce(text) {
    setText(byId('news'), text);
  }

  lost(message) {
    if (!this.#isLost) this.announce(message);
    this.#isLost = true;
  }

  show(overview) {
    const last = this.#last;
    this.#last = overview;
    const news = last ? changesBetween(last, overview) : [];
    if (this.#isLost) news.unshift('integratord responds again.');
    this.#isLost = false;
    if (news.length > 0) this.announce(news.join(' '));
  }
}

function changesBetween(last, { status, totals }) {
  const news = [];
  const drain = status.drain && `${drainTitle(status.drain)}.`;
  if (status.state !== last.status.state)
    news.push(drain ?? `The instance is ${STATE_WORDS[status.state].toLowerCase()}.`);
  else if (drain && status.drain.state !== last.status.drain?.state) news.push(drain);
  if (totals.sessionsWithGaps > last.totals.sessionsWithGaps) {
    news.push(`Audio is missing in ${countText(totals.sessionsWithGaps, 'session')}.`);
  }
  return news;
}
