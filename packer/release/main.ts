/** `npm run release`: makes release/integratord-VERSION-linux-ARCH.tar.gz for every architecture, and manifest.json.
 *  Exit code 0 when they are made, 1 when not, 2 when it was asked for something else. */
import { relative, resolve } from 'node:path';
import { CommanderError, Option, program } from 'commander';
import { CHECKOUT } from './checkout.ts';
import { ReleaseFailure } from './failure.ts';
import { writeManifest } from './manifest.ts';
import { makeReleases } from './release.ts';
import { ARCHITECTURES, type Architecture } from './runtime.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

try {
  await program
    .name('release')
    .description('Makes the release: one tarball per architecture, with all that an instance needs.')
    .addOption(new Option('--arch <name...>', 'only these').choices(ARCHITECTURES).default(ARCHITECTURES, 'all'))
    .option('--out <directory>', 'where to', resolve(CHECKOUT, 'release'))
    .allowExcessArguments(false)
    .exitOverride()
    .action(release)
    .parseAsync();
} catch (error) {
  // Commander has said it already; to print help is its only way to end well.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  else if (error instanceof ReleaseFailure || isOfTheSystem(error)) {
    process.stderr.write(`release: ${error.message}\n`);
    process.exitCode = EXIT_FAILED;
  } else throw error;
}

/** No space, no permission, a file where a directory should be: the message has the path. */
function isOfTheSystem(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}

async function release({ arch, out }: { arch: readonly Architecture[]; out: string }): Promise<void> {
  // As they are listed, and each once, however they were asked for.
  const architectures = ARCHITECTURES.filter((each) => arch.includes(each));
  const releases = await makeReleases(CHECKOUT, architectures, resolve(out));
  await writeManifest(out, releases);
  for (const { file, sha256, bytes } of releases) {
    const path = relative('.', resolve(out, file));
    process.stdout.write(`${path}  ${(bytes / 1_000_000).toFixed(1)} MB  sha256 ${sha256}\n`);
  }
}
