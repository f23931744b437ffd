/** `npm run captures`: writes what operators see into artefacts/terminal/, to be looked at. */
import { mkdir, writeFile } from 'node:fs/promises';
import { type BusyInstance, busyInstance } from './instance.ts';
import { type Capture, type Size, Tmux } from './tmux.ts';

const SIZES: readonly Size[] = [
  { columns: 60, rows: 24 },
  { columns: 80, rows: 24 },
  { columns: 140, rows: 40 },
  { columns: 200, rows: 50 },
];
const DIRECTORY = 'artefacts/terminal';

await mkdir(DIRECTORY, { recursive: true });
await onAnInstance(async (instance, tmux) => {
  for (const size of SIZES) await write(`busy-${size.columns}x${size.rows}`, await busy(instance, tmux, size));
  for (const size of SIZES.slice(1, 3)) await write(`drained-${size.columns}x${size.rows}`, await draining(tmux, size));
});
process.stdout.write(`see ${DIRECTORY}/\n`);

async function onAnInstance(look: (instance: BusyInstance, tmux: Tmux) => Promise<void>): Promise<void> {
  const instance = await busyInstance();
  const tmux = new Tmux(instance.env);
  try {
    await look(instance, tmux);
  } finally {
    await tmux.close();
    await instance.close();
  }
}

/** What is shown while calls run. */
async function busy({ contacts }: BusyInstance, tmux: Tmux, size: Size): Promise<readonly string[]> {
  const short = (contactId: string) => contactId.slice(0, 8);
  const parts = await inTurn(tmux, size, [
    'sessions',
    'sessions -o wide',
    'sessions --columns session,lag,callback-host',
    'sessions list --state ending',
    'sessions list --state ended',
    'sessions list --state failed',
    `sessions show ${short(contacts.broken)}`,
    `sessions show ${short(contacts.lost)}`,
    `sessions show ${short(contacts.refused)}`,
    'sessions show 00000000',
    'status',
    'results',
    'doctor',
    'config',
    `logs ${short(contacts.lost)}`,
    'log-level',
    'version',
    '--help',
  ]);
  return [...parts, shown('sessions watch', await tmux.show('sessions watch', size, /SESSION/))];
}

/** From a cordon to a drain and back. */
async function draining(tmux: Tmux, size: Size): Promise<readonly string[]> {
  const before = await inTurn(tmux, size, [
    'cordon --reason "kernel update"',
    'cordon',
    'status',
    'uncordon',
    'uncordon',
    'log-level debug --for 10m',
    'log-level info',
    'drain --detach --deadline 1h',
    'status',
    'drain --deadline 2h --detach',
    'cordon',
  ]);
  const attached = shown('drain', await tmux.show('drain', size, /longest call/));
  return [...before, attached, ...(await inTurn(tmux, size, ['drain --cancel', 'status']))];
}

async function inTurn(tmux: Tmux, size: Size, commands: readonly string[]): Promise<string[]> {
  const parts: string[] = [];
  for (const args of commands) parts.push(shown(args, await tmux.run(args, size)));
  return parts;
}

function shown(args: string, { seen }: Capture): string {
  return `$ integratorctl ${args}\n${seen.join('\n')}\n`;
}

async function write(name: string, parts: readonly string[]): Promise<void> {
  await writeFile(`${DIRECTORY}/${name}.txt`, parts.join('\n'));
}
