import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import test from 'ava';

/** The order of imports (daemon/README.md, "Rooms"): a room imports only from lines further down. */
const ORDER = [
  ['main'],
  ['check'],
  ['config'],
  ['setting-formats'],
  ['http', 'control'],
  ['lifecycle'],
  ['admission'],
  ['threads'],
  ['session'],
  ['checkpoints', 'results'],
  ['kinesis', 'deepgram'],
  ['matroska', 'audio'],
  ['secrets'],
  ['metrics'],
  ['log'],
  ['contract'],
  ['runtime'],
];
/** Programs beside the daemon, and the rooms of the daemon that each may use. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  ctl: ['contract', 'runtime'],
  trigger: ['contract', 'secrets', 'runtime'],
  // The flow checker reads attributes as the trigger and the daemon do; it is not part of the Lambda function.
  flows: ['trigger', 'contract', 'results'],
  cdk: ['config', 'contract', 'runtime'],
  packer: ['contract', 'runtime'],
};
/** `import … from 'x'`, `export … from 'x'`, `import('x')` and `typeof import('x')`, types included. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*)'(\.{1,2}\/[^']+)'/g;

const graph = await importGraph();

test('a room imports only from rooms further down the order, types included', (t) => {
  const offenses: string[] = [];
  for (const [file, imports] of graph) {
    for (const imported of imports) {
      if (!mayImport(roomOf(file), roomOf(imported))) offenses.push(`${file} imports ${imported}`);
    }
  }
  t.deepEqual(offenses, []);
});

test('no files import each other in a circle, types included', (t) => {
  t.deepEqual(circles(), []);
});

test('every room of the daemon has its place in the order', (t) => {
  const rooms = new Set([...graph.keys()].filter((file) => file.startsWith('daemon/')).map(roomOf));
  t.deepEqual(
    [...rooms].filter((room) => rank(room) === undefined && !(room in OUTSIDE)),
    [],
  );
  // Proof that the sources were found.
  t.true(rooms.size > 10);
  t.true((graph.get('daemon/main.ts')?.length ?? 0) > 10);
});

async function importGraph(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for await (const file of glob('{daemon,trigger,cdk,packer}/**/*.ts', { exclude: (name) => name === 'cdk.out' })) {
    const specifiers = [...readFileSync(file, 'utf8').matchAll(SPECIFIER)].map(([, specifier = '']) => specifier);
    found.set(
      file,
      specifiers.map((specifier) => normalize(join(dirname(file), specifier))),
    );
  }
  return found;
}

/** `daemon/kinesis/http/media-body.ts` is in `kinesis`, `daemon/main.ts` in `main`, `trigger/post.ts` in `trigger`,
 *  `trigger/flows/check.ts` in `flows`. */
function roomOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  if (file.startsWith('trigger/flows/')) return 'flows';
  return top === 'daemon' ? second.replace(/\.ts$/, '') : top;
}

function rank(room: string): number | undefined {
  const index = ORDER.findIndex((rooms) => rooms.includes(room));
  return index < 0 ? undefined : index;
}

function mayImport(from: string, to: string): boolean {
  if (from === to || to === 'package.json') return true;
  const allowed = OUTSIDE[from];
  if (allowed) return allowed.includes(to);
  return (rank(from) ?? Infinity) < (rank(to) ?? -1);
}

function circles(): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' > '));
    if (path.includes(file) || done.has(file)) return;
    for (const imported of graph.get(file) ?? []) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
