import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { Io } from '../../daemon/ctl/io.ts';
import { runCtl } from '../../daemon/ctl/run.ts';
import { FastForwardClock } from '../support/fast-forward-clock.ts';
import { NOW_EPOCH_MS } from './examples.ts';

/** A terminal, or a pipe, that records what is written to it. */
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

  /** Without colors and cursor movements. */
  get plain(): string {
    return stripVTControlCharacters(this.text);
  }
}

interface Desk {
  readonly socketPath: string;
  readonly env?: Record<string, string>;
  readonly screen?: Screen;
  /** What the operator types. */
  readonly typed?: string;
  readonly clock?: FastForwardClock;
  /** The directory of the daemon's settings. */
  readonly etc?: string;
}

/** A clock at NOW_EPOCH_MS on which integratorctl's sleeps pass at once. */
export function deskClock(onSleep?: (nth: number) => void | Promise<void>): FastForwardClock {
  return new FastForwardClock({ epochMs: NOW_EPOCH_MS, ...(onSleep ? { onSleep } : {}) });
}

/** Runs integratorctl in this process, on a terminal with an operator. */
export async function atDesk(args: readonly string[], desk: Desk) {
  const { socketPath, env = {}, screen = new Screen(), typed, clock = deskClock(), etc = '/nowhere' } = desk;
  const stderr = new Screen();
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  if (typed !== undefined) stdin.end(typed);
  const io: Io = {
    env: { CONTROL_SOCKET: socketPath, TERM: 'xterm', ...env },
    stdin,
    stdout: screen,
    stderr,
    clock,
    etc,
    stop: new AbortController().signal,
  };
  const code = await runCtl(args, io);
  return { code, stdout: screen, stderr };
}
