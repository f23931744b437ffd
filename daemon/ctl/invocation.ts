import type { Command } from 'commander';
import { CONTROL_SOCKET_PATH } from '../contract/control-api.ts';
import { ControlClient } from './client.ts';
import type { Io } from './io.ts';
import { type Paint, paintFor } from './output/colors.ts';
import { printable, printableJson } from './output/printable.ts';

const JSON_INDENT = 2;

interface GlobalOptions {
  readonly json?: boolean;
  readonly header: boolean;
  readonly socket?: string;
}

/** One run of a command: the daemon it talks to, and how it shows what it learns. */
export class Invocation {
  readonly io: Io;
  readonly daemon: ControlClient;
  readonly json: boolean;
  readonly header: boolean;
  readonly paint: Paint;

  constructor(command: Command, io: Io) {
    const { json = false, header, socket } = command.optsWithGlobals<GlobalOptions>();
    this.io = io;
    this.daemon = new ControlClient(socket ?? (io.env['CONTROL_SOCKET'] || CONTROL_SOCKET_PATH), io);
    this.json = json;
    this.header = header;
    this.paint = paintFor(io.stdout, io.env);
  }

  /** Shows the answer: as JSON when that was asked for, else as the lines, which must be printable already. */
  show(answer: object, lines: () => readonly string[]): void {
    const text = this.json ? printableJson(answer, JSON_INDENT) : lines().join('\n');
    if (text !== '') this.io.stdout.write(`${text}\n`);
  }

  /** Tells the person at the terminal something that is not data. */
  tell(line: string): void {
    this.io.stderr.write(`integratorctl: ${printable(line)}\n`);
  }
}
