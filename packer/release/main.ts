/** `npm run release` builds release/integratord-VERSION-linux-ARCH.tar.gz for every architecture, and manifest.json. Exit
 *  code 0: success; 1: failure; 2: usage error. */
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
    .description('Build the release: one tarball per architecture, with everything that an instance needs.')
    .addOption(
      new Option('--arch <name...>', 'build only these architectures')
        .choices(ARCHITECTURES)
        .default(ARCHITECTURES, 'all'),
    )
    .option('--out <directory>', 'output directory', resolve(CHECKOUT, 'release'))
    .allowExcessArguments(false)
    .exitOverride()
    .action(release)
    .parseAsync();
} catch (error) {
  // commander has already reported it; its only success is printing help.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  else if (error instanceof ReleaseFailure || isSystemError(error)) {
    process.stderr.write(`release: ${error.message}\n`);
    process.exitCode = EXIT_FAILED;
  } else throw error;
}

/** No space, no permission, a file instead of a directory: the message contains the path. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}

async function release({ arch, out }: { arch: readonly Architecture[]; out: string }): Promise<void> {
  // In fixed order and without duplicates, whatever the arguments.
  const architectures = ARCHITECTURES.filter((each) => arch.includes(each));
  const releases = await makeReleases(CHECKOUT, architectures, resolve(out));
  await writeManifest(out, releases);
  for (const { file, sha256, bytes } of releases) {
    const path = relative('.', resolve(out, file));
    process.stdout.write(`${path}  ${(bytes / 1_000_000).toFixed(1)} MB  sha256 ${sha256}\n`);
  }
}
