import type { Command } from 'commander';
import { CONTROL_SOCKET_PATH } from '../contract/control-api.ts';
import { ControlClient } from './client.ts';
import { DEFAULT_COLUMNS, type Io } from './io.ts';
import { type Paint, paintFor } from './output/colors.ts';
import { printableJson } from './output/printable.ts';
import { remark } from './output/remark.ts';

const JSON_INDENT = 2;

interface GlobalOptions {
  readonly json?: boolean;
  /** Of commands that have more than one form of output. */
  readonly output?: string;
  readonly header: boolean;
  readonly socket?: string;
}

/** One run of a command: its daemon and its output options. */
export class Invocation {
  readonly io: Io;
  readonly daemon: ControlClient;
  readonly json: boolean;
  readonly header: boolean;
  readonly paint: Paint;
  /** Of the terminal; whatever is no terminal gets lines of any length. */
  readonly width: number;

  constructor(command: Command, io: Io) {
    const { json = false, output, header, socket } = command.optsWithGlobals<GlobalOptions>();
    this.io = io;
    this.daemon = new ControlClient(socket ?? (io.env['CONTROL_SOCKET'] || CONTROL_SOCKET_PATH), io);
    this.json = json || output === 'json';
    this.header = header;
    this.paint = paintFor(io.stdout, io.env);
    this.width = io.stdout.isTTY ? io.stdout.columns || DEFAULT_COLUMNS : Infinity;
  }

  /** Prints the response: as JSON with --json, otherwise as the lines, which must already be printable. */
  show(response: object, lines: () => readonly string[]): void {
    const text = this.json ? printableJson(response, JSON_INDENT) : lines().join('\n');
    if (text !== '') this.io.stdout.write(`${text}\n`);
  }

  /** Prints a note to stderr, apart from the data. */
  note(line: string): void {
    remark(this.io, line);
  }
}
