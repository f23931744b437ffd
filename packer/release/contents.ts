import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundles } from './bundle.ts';
import { run } from './command.ts';
import type { Package } from './packages.ts';

/** A file of a release. */
export interface Content {
  /** Relative to the release's top directory. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  readonly data: Buffer;
}

/** The files that are the same for every architecture. */
export async function commonContents(checkout: string, version: string, { bundles }: Bundles): Promise<Content[]> {
  return [
    { path: 'install.sh', mode: 0o755, data: await readFile(join(checkout, 'packer/install.sh')) },
    { path: 'LICENSE', mode: 0o644, data: await readFile(join(checkout, 'LICENSE')) },
    // Marks the bundles as ES modules; otherwise Node parses them twice to find out.
    textFile('package.json', { name: 'integratord', version, private: true, type: 'module' }),
    ...bundles.map(({ path, text }) => ({ path, mode: 0o644 as const, data: Buffer.from(text) })),
    ...(await directory(join(checkout, 'systemd'), 'systemd')),
    ...(await manPages(checkout)),
    await bashCompletion(checkout),
  ];
}

/** What the release consists of, for people and for vulnerability scanners. */
export function materials(facts: {
  readonly version: string;
  readonly arch: string;
  readonly node: string;
  readonly packages: readonly Package[];
}): Content {
  const packages = facts.packages.map(({ name, version, license }) => ({ name, version, license }));
  return textFile('MANIFEST.json', { name: 'integratord', platform: 'linux', ...facts, packages });
}

function textFile(path: string, value: object): Content {
  return { path, mode: 0o644, data: Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`) };
}

async function directory(from: string, to: string): Promise<Content[]> {
  const names = (await readdir(from)).sort();
  return Promise.all(
    names.map(async (name) => ({ path: `${to}/${name}`, mode: 0o644, data: await readFile(join(from, name)) })),
  );
}

async function manPages(checkout: string): Promise<Content[]> {
  const pages = await mkdtemp(join(tmpdir(), 'integratord-man-'));
  try {
    await run(process.execPath, ['daemon/ctl/docs/man.ts', pages], checkout, 'The man pages could not be generated.');
    return await directory(pages, 'man');
  } finally {
    await rm(pages, { recursive: true });
  }
}

async function bashCompletion(checkout: string): Promise<Content> {
  const args = ['daemon/ctl/main.ts', 'completion', 'bash'];
  const script = await run(process.execPath, args, checkout, 'The bash completion could not be generated.');
  return { path: 'completions/bash/integratorctl', mode: 0o644, data: Buffer.from(script) };
}
