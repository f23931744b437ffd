interface Name {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/**
 * Recognizes tag names by their bytes. Every fragment of every call has them, so neither names nor the
 * values of unused tags become strings.
 */
export class TagNames {
  /** Indexed by length in bytes. */
  readonly #ofLength = new Map<number, Name[]>();

  /** @param names without padding */
  constructor(names: readonly string[]) {
    for (const text of names) {
      const bytes = Buffer.from(text);
      const ofLength = this.#ofLength.get(bytes.length) ?? [];
      this.#ofLength.set(bytes.length, ofLength);
      ofLength.push({ text, bytes });
    }
  }

  /** The name in the bytes `from` up to `to`; undefined when it is not one of them. */
  find(bytes: Uint8Array, from: number, to: number): string | undefined {
    for (const name of this.#ofLength.get(to - from) ?? NONE) {
      if (isAt(bytes, from, name.bytes)) return name.text;
    }
    return undefined;
  }
}

const NONE: readonly Name[] = [];

/** Compares backward: the names share their beginnings. */
function isAt(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = name.length - 1; i >= 0; i--) if (bytes[at + i] !== name[i]) return false;
  return true;
}
