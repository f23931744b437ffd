/** Often enough to follow by eye. */
const POLL_EVERY_MS = 2000;
const TIMEOUT_MS = 10_000;

/** Polls the overview, one request at a time, and not while the page is hidden. */
export class Feed {
  #choice;
  #request;
  #timer;
  #isPaused = false;
  #onOverview;
  #onFailure;

  /** @param onFailure gets a message */
  constructor(choice, onOverview, onFailure) {
    this.#choice = choice;
    this.#onOverview = onOverview;
    this.#onFailure = onFailure;
    document.addEventListener('visibilitychange', () => this.#resume());
    this.#resume();
  }

  /** Changes what is shown, and requests it at once, even while paused. */
  choose(choice) {
    this.#choice = choice;
    void this.#poll();
  }

  pause(isPaused) {
    this.#isPaused = isPaused;
    this.#resume();
  }

  #resume() {
    if (this.#isPaused || document.hidden) this.#stop();
    else void this.#poll();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#request?.abort();
  }

  async #poll() {
    this.#stop();
    const request = new AbortController();
    this.#request = request;
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const { overview, failure } = await overviewFor(this.#choice, signal);
    if (request.signal.aborted) return;
    if (!this.#isPaused) this.#timer = setTimeout(() => this.#resume(), POLL_EVERY_MS);
    if (overview) this.#onOverview(overview);
    else this.#onFailure(failure);
  }
}

async function overviewFor(choice, signal) {
  try {
    const response = await fetch(`v1/overview?${new URLSearchParams(choice)}`, { signal });
    const body = await response.json();
    return response.ok ? { overview: body } : { failure: body.message };
  } catch {
    // Refused, broken off or timed out: it makes no difference to the reader.
    return { failure: 'integratord does not respond. Has it stopped, or was the connection to it closed?' };
  }
}
