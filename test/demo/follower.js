/** Keeps the end of what is being said in view, until the reader scrolls away from it. */
export class Follower {
  #target;
  #button;
  /** The reader has not scrolled away. */
  #isFollowing = true;

  /** @param button brings the reader back; shown while something new is out of view */
  constructor(button) {
    this.#button = button;
    button.addEventListener('click', () => this.resume());
    addEventListener('scroll', () => this.#noteScroll(), { passive: true });
    addEventListener('resize', () => this.#keepInView());
  }

  /** Something new was added at the end of `element`. */
  addedTo(element) {
    this.#target = element;
    this.#keepInView();
    this.#button.hidden = this.#isFollowing;
  }

  /** Goes to the end, wherever the reader is. */
  resume() {
    this.#isFollowing = true;
    this.#button.hidden = true;
    this.#keepInView();
  }

  /** Our own scrolling ends in view: only a reader's can leave it. */
  #noteScroll() {
    if (!this.#target) return;
    this.#isFollowing = this.#isInView();
    if (this.#isFollowing) this.#button.hidden = true;
  }

  #keepInView() {
    if (this.#target && this.#isFollowing && !this.#isInView()) this.#target.scrollIntoView({ block: 'end' });
  }

  #isInView() {
    const { bottom } = this.#target.getBoundingClientRect();
    // Positions are fractions of a pixel.
    return bottom > 0 && bottom <= innerHeight + 1;
  }
}
