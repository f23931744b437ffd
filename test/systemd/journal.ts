import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Line } from '../support/process.ts';
import type { Container } from './container.ts';

/** A line of the journal about the unit: the daemon's own, or systemd's about it. */
export interface Entry {
  readonly message: string;
  /** The fields of a log line of the daemon's; undefined for anything else. */
  readonly fields: Line | undefined;
  /** The process that wrote it, as the container numbers it. */
  readonly pid: number;
}

/** What the journal has about the unit, as it comes. */
export class Journal {
  readonly entries: Entry[] = [];
  readonly #waiting = new Set<(entry: Entry) => void>();

  constructor(container: Container, unit: string) {
    const follow = ['--follow', '--lines=all', '--output=json', `--unit=${unit}`];
    const reader = container.start('journalctl', ...follow);
    createInterface({ input: reader.stdout as Readable }).on('line', (text) => this.#take(text));
  }

  /** Where the journal is now: what comes after it is news. */
  get mark(): number {
    return this.entries.length;
  }

  /** The first entry from `from` on, past or to come, that `matches`. Waits for as long as it takes. */
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

  /** The daemon's log line with that event and those fields; `from` as for `entry`. */
  async event(event: string, fields: Line = {}, from = 0): Promise<Line> {
    const wanted = Object.entries({ event, ...fields });
    const found = await this.entry((entry) => wanted.every(([name, value]) => entry.fields?.[name] === value), from);
    return found.fields as Line;
  }

  /** The last lines, for a message about a test that failed. */
  tail(count: number): string[] {
    return this.entries.slice(-count).map(({ message }) => message);
  }

  #take(text: string): void {
    const { MESSAGE, _PID } = JSON.parse(text) as { MESSAGE: unknown; _PID: string };
    // journald gives what is no text as an array of bytes; the daemon writes none such.
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
