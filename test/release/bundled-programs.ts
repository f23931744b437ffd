import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundlePrograms } from '../../packer/release/bundle.ts';
import { CHECKOUT } from '../../packer/release/checkout.ts';

/** The bundles as files in a directory without node_modules in or above it. */
export interface BundledPrograms {
  readonly directory: string;
  readonly daemon: string;
  readonly ctl: string;
  remove(): Promise<void>;
}

export async function bundledPrograms(): Promise<BundledPrograms> {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-bundles-'));
  const { bundles } = await bundlePrograms(CHECKOUT);
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  for (const { path, text } of bundles) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return {
    directory,
    daemon: join(directory, 'daemon/main.js'),
    ctl: join(directory, 'daemon/ctl/main.js'),
    remove: () => rm(directory, { recursive: true }),
  };
}
