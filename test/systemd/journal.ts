import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Line } from '../support/process.ts';
import type { Container } from './container.ts';

/** A line of the unit's journal, written by the daemon or by systemd. */
interface Entry {
  readonly message: string;
  /** Fields of a daemon's log line; undefined for other lines. */
  readonly fields: Line | undefined;
  /** PID of its writer, in the container. */
  readonly pid: number;
}

/** Follows the unit's journal. */
export class Journal {
  readonly entries: Entry[] = [];
  readonly #waiting = new Set<(entry: Entry) => void>();

  constructor(container: Container, unit: string) {
    const follow = ['--follow', '--lines=all', '--output=json', `--unit=${unit}`];
    const reader = container.start('journalctl', ...follow);
    createInterface({ input: reader.stdout as Readable }).on('line', (text) => this.#take(text));
  }

  /** The current end of the journal. */
  get mark(): number {
    return this.entries.length;
  }

  /** The first entry from `from` on, past or future, that `matches`. Waits without a timeout. */
  entry(matches: (entry: Entry) => boolean, from = 0): Promise<Entry> {
    const known = this.entries.slice(from).find(matches);
    if (known) return Promise.resolve(known);
    return new Promise((resolve) => {
      const look = (entry: Entry) => {
        if (!matches(entry)) return;
        this.#waiting.delete(look);
        resolve(entry);
      };
      this.#waiting.add(look);
    });
  }

  /** The first log line from `from` on with that event and those fields. */
  async event(event: string, fields: Line = {}, from = 0): Promise<Line> {
    const wanted = Object.entries({ event, ...fields });
    const found = await this.entry((entry) => wanted.every(([name, value]) => entry.fields?.[name] === value), from);
    return found.fields as Line;
  }

  /** The last lines, for the report of a failed check. */
  tail(count: number): string[] {
    return this.entries.slice(-count).map(({ message }) => message);
  }

  #take(text: string): void {
    const { MESSAGE, _PID } = JSON.parse(text) as { MESSAGE: unknown; _PID: string };
    // journald reports binary messages as arrays of bytes; the daemon writes none.
    const message = String(MESSAGE);
    const entry = { message, fields: fieldsOf(message), pid: Number(_PID) };
    this.entries.push(entry);
    for (const look of this.#waiting) look(entry);
  }
}

function fieldsOf(message: string): Line | undefined {
  if (!message.startsWith('{')) return undefined;
  try {
    return JSON.parse(message) as Line;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
