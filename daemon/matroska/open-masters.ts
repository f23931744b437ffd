import type { ElementKind } from './element-ids.ts';

/** The master elements that the demuxer is inside, and where in the body each of them ends. */
export class OpenMasters {
  innermost: ElementKind | undefined;
  /** Where the innermost one ends; Infinity: its size is unknown, or there is none. */
  end = Infinity;
  readonly #kinds: ElementKind[] = [];
  readonly #ends: number[] = [];

  enter(kind: ElementKind, end: number): void {
    this.#kinds.push(kind);
    this.#ends.push(end);
    this.innermost = kind;
    this.end = end;
  }

  /** Leaves the innermost one and returns it. */
  leave(): ElementKind | undefined {
    const left = this.#kinds.pop();
    this.#ends.pop();
    this.innermost = this.#kinds.at(-1);
    this.end = this.#ends.at(-1) ?? Infinity;
    return left;
  }

  leaveAll(): void {
    this.#kinds.length = 0;
    this.#ends.length = 0;
    this.innermost = undefined;
    this.end = Infinity;
  }
}
