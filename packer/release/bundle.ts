import { type BuildOptions, build } from 'esbuild';
import { builtinsAsTheyAre, optionalAddOnsAbsent } from './bundle-modules.ts';
import { pageBuiltIn } from './bundle-page.ts';
import { ReleaseFailure } from './failure.ts';

/** What is run: each becomes one file, at the same place in the release. */
const ENTRIES = ['daemon/main.ts', 'daemon/threads/worker.ts', 'daemon/ctl/main.ts'];

const OPTIONS = {
  entryPoints: ENTRIES,
  outdir: '.',
  outbase: '.',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Paths in the bundles, which are in comments, begin in the checkout, also where node_modules is a link.
  preserveSymlinks: true,
  metafile: true,
  write: false,
  // A failure says all that there is to say.
  logLevel: 'silent',
  plugins: [builtinsAsTheyAre, optionalAddOnsAbsent, pageBuiltIn],
} satisfies BuildOptions;

/** A program in one file. */
export interface Bundle {
  /** Its place in the release, such as `daemon/main.js`. */
  readonly path: string;
  readonly text: string;
}

export interface Bundles {
  readonly bundles: readonly Bundle[];
  /** Every source that is in one of them, from the checkout on. */
  readonly sources: readonly string[];
}

/**
 * Bundles integratord and integratorctl. Not minified: that makes neither faster, and a stack trace in an operator's
 * journal must say where it was. Throws ReleaseFailure when there is a
 * fault in a source, and when a bundle would need a package beside it.
 */
export async function bundlePrograms(checkout: string): Promise<Bundles> {
  const { outputFiles, metafile } = await build({ ...OPTIONS, absWorkingDir: checkout }).catch((cause: Error) => {
    throw new ReleaseFailure(`The programs cannot be bundled: ${cause.message}`, { cause });
  });
  const outputs = Object.entries(metafile.outputs);
  const external = outputs.flatMap(([, { imports }]) =>
    imports.filter((each) => each.external).map(({ path }) => path),
  );
  if (external.length > 0) {
    throw new ReleaseFailure(
      `A bundle would need ${external.join(', ')} beside it, which a release has not: ` +
        'make it a dependency, or name it in packer/release/bundle-modules.ts if it can do without',
    );
  }
  const bundles = outputs.map(([path], index) => ({ path, text: outputFiles[index]?.text ?? '' }));
  const sources = Object.keys(metafile.inputs).filter((path) => !/^(builtin|builtin-exports|absent):/.test(path));
  return { bundles, sources };
}
