/** As often as a person may want to see a figure change. */
const LOOK_EVERY_MS = 2000;
const PATIENCE_MS = 10_000;

/** Asks for the overview again and again, one question at a time, and not while nobody looks. */
export class Feed {
  #choice;
  #asking;
  #timer;
  #isPaused = false;
  #take;
  #lose;

  /** @param take gets each overview; @param lose the message when there is none */
  constructor(choice, take, lose) {
    this.#choice = choice;
    this.#take = take;
    this.#lose = lose;
    document.addEventListener('visibilitychange', () => this.#look());
    this.#look();
  }

  /** What is shown from now on; it is asked for at once, paused or not. */
  choose(choice) {
    this.#choice = choice;
    void this.#ask();
  }

  pause(isPaused) {
    this.#isPaused = isPaused;
    this.#look();
  }

  #look() {
    if (this.#isPaused || document.hidden) this.#stop();
    else void this.#ask();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  async #ask() {
    this.#stop();
    const asking = new AbortController();
    this.#asking = asking;
    const signal = AbortSignal.any([asking.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const { overview, trouble } = await overviewFor(this.#choice, signal);
    if (asking.signal.aborted) return;
    if (!this.#isPaused) this.#timer = setTimeout(() => this.#look(), LOOK_EVERY_MS);
    if (overview) this.#take(overview);
    else this.#lose(trouble);
  }
}

async function overviewFor(choice, signal) {
  try {
    const response = await fetch(`v1/overview?${new URLSearchParams(choice)}`, { signal });
    const answer = await response.json();
    return response.ok ? { overview: answer } : { trouble: answer.message };
  } catch {
    // Refused, broken, cut short or too late: to whoever looks it is all the same.
    return { trouble: 'Nobody answers: has integratord stopped, or the way to it been closed?' };
  }
}
