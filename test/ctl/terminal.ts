import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { Io } from '../../daemon/ctl/io.ts';
import { runCtl } from '../../daemon/ctl/run.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { NOW_EPOCH_MS } from './examples.ts';

/** A terminal, or a pipe, that remembers what was written to it. */
export class Screen {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;

  constructor({ isTTY = true, columns = 120, rows = 24 } = {}) {
    this.isTTY = isTTY;
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    this.text += text;
  }

  /** Without colours and cursor moves. */
  get plain(): string {
    return stripVTControlCharacters(this.text);
  }
}

export interface Desk {
  readonly socketPath: string;
  readonly env?: Record<string, string>;
  readonly screen?: Screen;
  /** What the operator types. */
  readonly typed?: string;
  /** Called whenever integratorctl waits, instead of waiting; what it throws ends the wait. */
  readonly onPause?: (pauses: number, stop: AbortController) => void | Promise<void>;
}

/** Runs integratorctl in this process, with an operator in front of it. */
export async function atDesk(args: readonly string[], desk: Desk) {
  const { socketPath, env = {}, screen = new Screen(), typed, onPause } = desk;
  const stderr = new Screen();
  const stop = new AbortController();
  let pauses = 0;
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  if (typed !== undefined) stdin.end(typed);
  const io: Io = {
    env: { CONTROL_SOCKET: socketPath, TERM: 'xterm', ...env },
    stdin,
    stdout: screen,
    stderr,
    clock: { ...systemClock, now: () => pauses * 1000, epoch: () => NOW_EPOCH_MS + pauses * 1000 },
    pause: async (_ms, signal) => {
      pauses++;
      await onPause?.(pauses, stop);
      await setImmediate();
      signal.throwIfAborted();
    },
    stop: stop.signal,
  };
  const code = await runCtl(args, io);
  return { code, stdout: screen, stderr };
}
