import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { sha256 } from './checksum.ts';
import type { Content } from './contents.ts';

/** Of all files: when something was built says nothing about what it is. */
const MTIME = new Date(0);
/** zlib's own default; of Node, the best would make it smaller by 0.2 %. */
const GZIP_LEVEL = 6;

/**
 * Packs the contents, and SHA256SUMS about them, below one top directory into a .tar.gz. The same contents give the same
 * bytes: sorted, without owners, times and whatever else this machine knows of files.
 * @param scratch a directory to write them into first
 */
export async function pack(file: string, top: string, contents: readonly Content[], scratch: string): Promise<void> {
  const all = [...contents, checksums(contents)];
  for (const { path, mode, data } of all) {
    const written = join(scratch, top, path);
    await mkdir(dirname(written), { recursive: true });
    await writeFile(written, data);
    // Not left to writeFile, which the umask takes from.
    await chmod(written, mode);
  }
  const paths = all.map(({ path }) => `${top}/${path}`).sort();
  // Portable: of the header only what every machine can agree on.
  await create(
    { file, cwd: scratch, portable: true, mtime: MTIME, gzip: { level: GZIP_LEVEL, portable: true } },
    paths,
  );
}

/** What `sha256sum --check` reads. */
function checksums(contents: readonly Content[]): Content {
  const lines = contents.map(({ path, data }) => `${sha256(data)}  ${path}\n`);
  return { path: 'SHA256SUMS', mode: 0o644, data: Buffer.from(lines.sort().join('')) };
}
