import type { Command } from 'commander';
import type { Millis } from '../../runtime/clock.ts';
import { Invocation } from '../invocation.ts';
import type { Io, Output } from '../io.ts';
import { printableJson } from '../output/printable.ts';
import {
  addListOptions,
  chooseSessions,
  type ListOptions,
  type Sessions,
  sessionLines,
  summaryLines,
} from './session-list.ts';

/** Short enough to see a lag come and go. */
const POLL_INTERVAL_MS: Millis = 1000;

const CLEAR_SCREEN = '\x1b[2J';
const CURSOR_HOME = '\x1b[H';
const CLEAR_REST_OF_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
/** A wrapped line would push the others down, so the terminal cuts it off. */
const WRAP_OFF = '\x1b[?7l';
const WRAP_ON = '\x1b[?7h';

/** integratorctl sessions watch: runs until Ctrl-C, or until its output is closed. */
export function addWatchCommand(sessions: Command, io: Io): void {
  const watch = sessions
    .command('watch')
    .description(
      'refresh the list every second: in place on a terminal, otherwise one list (or JSON line) after another',
    );
  addListOptions(watch).action(async (options: ListOptions, command: Command) => {
    const invocation = new Invocation(command, io);
    const { stdout, stop } = io;
    if (stdout.isTTY && !invocation.json) stdout.write(CLEAR_SCREEN);
    for (;;) {
      const all = await invocation.daemon.get<Sessions>('/v1/sessions');
      const chosen = chooseSessions(all, options);
      const lines = () => [
        ...summaryLines(chosen, all, options, invocation).flatMap((line) => [line, '']),
        ...sessionLines(chosen, all, options, invocation),
      ];
      if (invocation.json) stdout.write(`${printableJson({ atEpochMs: io.clock.epoch(), ...chosen })}\n`);
      else if (stdout.isTTY) stdout.write(screen(lines(), stdout));
      else stdout.write(`${lines().join('\n')}\n\n`);
      await io.clock.sleep(POLL_INTERVAL_MS, stop);
    }
  });
}

/** Overwrites the previous frame, as clearing it first would flicker; cuts the list to the height of the screen. */
function screen(lines: readonly string[], { rows = Infinity }: Output): string {
  const room = Math.max(1, rows - 2);
  const shown = lines.length > room ? [...lines.slice(0, room), `and ${lines.length - room} more`] : lines;
  const drawn = shown.map((line) => `${line}${CLEAR_REST_OF_LINE}\n`).join('');
  return `${WRAP_OFF}${CURSOR_HOME}${drawn}${CLEAR_BELOW}${WRAP_ON}`;
}
