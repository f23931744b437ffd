import type { Command } from 'commander';
import { ControlClient } from './client.ts';
import type { World } from './io.ts';
import { type Paint, paintFor } from './output/colors.ts';
import { printable, printableJson } from './output/printable.ts';

/** Where the packaged daemon listens. */
export const DEFAULT_SOCKET = '/run/integratord/control.sock';

const JSON_INDENT = 2;

interface GlobalOptions {
  readonly json?: boolean;
  readonly header: boolean;
  readonly socket?: string;
}

/** One run of a command: the daemon it talks to, and how it shows what it learns. */
export class Invocation {
  readonly world: World;
  readonly daemon: ControlClient;
  readonly json: boolean;
  readonly header: boolean;
  readonly paint: Paint;

  constructor(command: Command, world: World) {
    const { json = false, header, socket } = command.optsWithGlobals<GlobalOptions>();
    this.world = world;
    this.daemon = new ControlClient(socket ?? (world.env['CONTROL_SOCKET'] || DEFAULT_SOCKET), world.stop);
    this.json = json;
    this.header = header;
    this.paint = paintFor(world.stdout, world.env);
  }

  /** Shows the answer: as JSON when that was asked for, else as the lines, which must be printable already. */
  show(answer: object, lines: () => readonly string[]): void {
    const text = this.json ? printableJson(answer, JSON_INDENT) : lines().join('\n');
    if (text !== '') this.world.stdout.write(`${text}\n`);
  }

  /** Tells the person at the terminal something that is not data. */
  tell(line: string): void {
    this.world.stderr.write(`integratorctl: ${printable(line)}\n`);
  }
}
