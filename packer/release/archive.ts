import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { sha256 } from './checksum.ts';
import type { Content } from './contents.ts';

/** Modification time of all files: a build time would make every build different. */
const MTIME = new Date(0);
/** zlib's default; the best level would make Node smaller by only 0.2 %. */
const GZIP_LEVEL = 6;

/**
 * Packs the contents and their SHA256SUMS below one top directory into a .tar.gz. The same contents give the same bytes:
 * sorted, without owners, times or other metadata of this machine.
 * @param scratch directory for intermediate files
 */
export async function pack(file: string, top: string, contents: readonly Content[], scratch: string): Promise<void> {
  const all = [...contents, checksums(contents)];
  for (const { path, mode, data } of all) {
    const written = join(scratch, top, path);
    await mkdir(dirname(written), { recursive: true });
    await writeFile(written, data);
    // writeFile's own mode would be subject to the umask.
    await chmod(written, mode);
  }
  const paths = all.map(({ path }) => `${top}/${path}`).sort();
  // Portable: no header fields that differ between machines.
  await create(
    { file, cwd: scratch, portable: true, mtime: MTIME, gzip: { level: GZIP_LEVEL, portable: true } },
    paths,
  );
}

/** For `sha256sum --check`. */
function checksums(contents: readonly Content[]): Content {
  const lines = contents.map(({ path, data }) => `${sha256(data)}  ${path}\n`);
  return { path: 'SHA256SUMS', mode: 0o644, data: Buffer.from(lines.sort().join('')) };
}
