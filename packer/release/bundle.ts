import { type BuildOptions, build, type Plugin } from 'esbuild';
import { lazyBuiltins, optionalAddOnsAbsent } from './bundle-modules.ts';
import { pageBuiltIn } from './bundle-page.ts';
import { ReleaseFailure } from './failure.ts';

/** Each becomes one file, at the same path in the release. */
export const PROGRAMS: readonly string[] = [
  'daemon/main.ts',
  'daemon/threads/worker.ts',
  'daemon/ctl/main.ts',
  'daemon/lifecycle/report-absence.ts',
];

const OPTIONS = {
  outdir: '.',
  outbase: '.',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Keeps the paths in the bundles' comments relative to the checkout, even if node_modules is a link.
  preserveSymlinks: true,
  metafile: true,
  write: false,
  // The thrown error has all messages.
  logLevel: 'silent',
  plugins: [lazyBuiltins, optionalAddOnsAbsent, pageBuiltIn],
} satisfies BuildOptions;

/** A program in one file. */
interface Bundle {
  /** Path in the release, such as `daemon/main.js`. */
  readonly path: string;
  readonly text: string;
}

export interface Bundles {
  readonly bundles: readonly Bundle[];
  /** Every source in the bundles, relative to the checkout. */
  readonly sources: readonly string[];
}

/**
 * Bundles integratord and integratorctl, or other `programs`. Not minified: that would not make them faster, and stack
 * traces in the journal must be readable. Throws ReleaseFailure if a source does not compile, or if a bundle would need an
 * external package.
 */
export async function bundlePrograms(
  checkout: string,
  programs: readonly string[] = PROGRAMS,
  plugins: readonly Plugin[] = [],
): Promise<Bundles> {
  const { outputFiles, metafile } = await build({
    ...OPTIONS,
    absWorkingDir: checkout,
    entryPoints: [...programs],
    plugins: [...plugins, ...OPTIONS.plugins],
  }).catch((cause: Error) => {
    throw new ReleaseFailure(`The programs cannot be bundled: ${cause.message}`, { cause });
  });
  const outputs = Object.entries(metafile.outputs);
  const external = outputs.flatMap(([, { imports }]) =>
    imports.filter((each) => each.external).map(({ path }) => path),
  );
  if (external.length > 0) {
    throw new ReleaseFailure(
      `A bundle would need ${external.join(', ')}, which is not part of a release: ` +
        'make it a dependency, or add it to packer/release/bundle-modules.ts if it is optional',
    );
  }
  const bundles = outputs.map(([path], index) => ({ path, text: outputFiles[index]?.text ?? '' }));
  const sources = Object.keys(metafile.inputs).filter((path) => !/^(builtin|builtin-exports|absent):/.test(path));
  return { bundles, sources };
}
