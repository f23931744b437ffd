import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { Io } from '../../daemon/ctl/io.ts';
import { runCtl } from '../../daemon/ctl/run.ts';
import type { Millis } from '../../daemon/runtime/clock.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
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
  readonly clock?: DeskClock;
}

/** Time at the desk passes only while integratorctl sleeps, or when the test forwards it. */
export class DeskClock extends VirtualClock {
  #sleeps = 0;
  readonly #onSleep: (sleeps: number) => void | Promise<void>;

  /** @param onSleep is called before the nth sleep (from 1) passes; an error it throws ends that sleep */
  constructor(onSleep: (sleeps: number) => void | Promise<void> = () => {}) {
    super({ epochMs: NOW_EPOCH_MS });
    this.#onSleep = onSleep;
  }

  override readonly sleep = async (ms: Millis, signal?: AbortSignal): Promise<void> => {
    this.#sleeps += 1;
    await this.#onSleep(this.#sleeps);
    await setImmediate();
    signal?.throwIfAborted();
    this.forward(ms);
  };
}

/** Runs integratorctl in this process, with an operator in front of it. */
export async function atDesk(args: readonly string[], desk: Desk) {
  const { socketPath, env = {}, screen = new Screen(), typed, clock = new DeskClock() } = desk;
  const stderr = new Screen();
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  if (typed !== undefined) stdin.end(typed);
  const io: Io = {
    env: { CONTROL_SOCKET: socketPath, TERM: 'xterm', ...env },
    stdin,
    stdout: screen,
    stderr,
    clock,
    stop: new AbortController().signal,
  };
  const code = await runCtl(args, io);
  return { code, stdout: screen, stderr };
}
