import { join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';

const SOURCES = join(import.meta.dirname, '..', 'trigger');

/** A file of trigger/ with all that it imports, as one file, bundled without Docker or a network. Throws if it does not
 *  build. */
export function bundled(entry: string): Code {
  return Code.fromAsset(SOURCES, {
    // The hash of the bundle: a file that is not in it does not change the asset.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // CDK requires an image as a fallback for the local bundler, which never fails over.
      image: DockerImage.fromRegistry('none'),
      local: {
        tryBundle(outputDir) {
          bundleInto(outputDir, entry);
          return true;
        },
      },
    },
  });
}

/**
 * A function as text for a template, where its only file is index.js. It uses the SDK of Lambda's runtime, which would be
 * most of it. Throws if it does not build.
 */
export function inlineText(entry: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(SOURCES, entry)],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    external: ['@aws-sdk/*'],
    minify: true,
    keepNames: true,
    write: false,
    logLevel: 'error',
  });
  return outputFiles.map(({ text }) => text).join('');
}

/** Writes index.mjs with the export `handler`. */
export function bundleInto(directory: string, entry: string): void {
  buildSync({
    entryPoints: [join(SOURCES, entry)],
    outfile: join(directory, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // CommonJS packages in the bundle load Node's modules with require.
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    minifySyntax: true,
    legalComments: 'inline',
    logLevel: 'error',
  });
}
