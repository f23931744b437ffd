import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from './container.ts';
import { Journal } from './journal.ts';

const NAME = 'integratord.service';
/** Poll interval. */
const LOOK_EVERY_MS = 100;

type Properties = Record<string, string>;

/** integratord.service in a container. */
export class Unit {
  readonly container: Container;
  readonly journal: Journal;

  constructor(container: Container) {
    this.container = container;
    this.journal = new Journal(container, NAME);
  }

  async systemctl(verb: string, ...options: readonly string[]): Promise<void> {
    await this.container.run('systemctl', verb, ...options, NAME);
  }

  /** The unit's properties, by their names in `systemctl show`. */
  async properties(): Promise<Properties> {
    const shown = await this.container.run('systemctl', 'show', NAME);
    const lines = shown.split('\n').filter((line) => line.includes('='));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  /** Waits until the properties have these values. */
  async until(wanted: Properties): Promise<Properties> {
    for (;;) {
      const properties = await this.properties();
      if (Object.entries(wanted).every(([name, value]) => properties[name] === value)) return properties;
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** The daemon's PID in the container. */
  async mainPid(): Promise<number> {
    return Number((await this.properties())['MainPID']);
  }

  /** Sends a signal to the daemon only. */
  async signal(name: string): Promise<void> {
    await this.systemctl('kill', '--kill-whom=main', `--signal=${name}`);
  }

  /** Adds a drop-in to the unit, until `revert`. */
  async override(lines: string): Promise<void> {
    const directory = `/run/systemd/system/${NAME}.d`;
    await this.container.run('mkdir', '-p', directory);
    await this.container.run('sh', '-c', 'printf "%s" "$1" >"$2"', 'sh', lines, `${directory}/test.conf`);
    await this.container.run('systemctl', 'daemon-reload');
  }

  async revert(): Promise<void> {
    await this.container.run('rm', '-r', `/run/systemd/system/${NAME}.d`);
    await this.container.run('systemctl', 'daemon-reload');
  }
}
