interface Name {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/**
 * Names of tags, told by their bytes. They come with every fragment of every call, so no string is made of one, nor of
 * the value of a tag that nobody reads.
 */
export class TagNames {
  /** Those of a length, in bytes. */
  readonly #ofLength = new Map<number, Name[]>();

  /** @param names as they are without padding at the end */
  constructor(names: readonly string[]) {
    for (const text of names) {
      const bytes = Buffer.from(text);
      const ofLength = this.#ofLength.get(bytes.length) ?? [];
      this.#ofLength.set(bytes.length, ofLength);
      ofLength.push({ text, bytes });
    }
  }

  /** The one that stands at `from` up to `to`; undefined when it is none of them. */
  find(bytes: Uint8Array, from: number, to: number): string | undefined {
    for (const name of this.#ofLength.get(to - from) ?? NONE) {
      if (standsAt(bytes, from, name.bytes)) return name.text;
    }
    return undefined;
  }
}

const NONE: readonly Name[] = [];

/** Compares from the end backwards: the names have their beginnings in common. */
function standsAt(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = name.length - 1; i >= 0; i--) if (bytes[at + i] !== name[i]) return false;
  return true;
}
